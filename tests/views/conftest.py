"""Fixtures for the page tests, and helpers that check every page a test opens."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup

from portal import create_app, queue
from portal.actions.merchants import save_merchant
from portal.actions.stores import connect_store
from portal.clients.circuit import Circuit
from portal.clock import utc_now
from portal.extensions import db
from portal.models import Merchant, Role, Store, User
from portal.page_extensions import limiter
from sandbox.client import Sandbox, running_sandbox
from tests.conftest import settings_for
from tests.logged_in import log_in_as
from tests.views.orders_world import Orders, put_orders
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

    from portal.models import Order

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class World:
    """Merchant 816 with an owner and a teammate, merchant 900 with a stranger, and support. Ids, not rows."""

    store_id: int
    other_store_id: int
    owner: str = "owner@fern.example"
    teammate: str = "teammate@fern.example"
    stranger: str = "stranger@other.example"
    support: str = "support@warehouse.example"


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    # No Redis runs on this port: pages must work without it.
    mail_url = f"file://{tmp_path / 'mail'}"
    app = create_app(settings_for(database_url, REDIS_URL="redis://127.0.0.1:1/0", MAIL_URL=mail_url))
    monkeypatch.setattr(limiter, "enabled", False)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(app: Flask) -> World:
    from argon2 import PasswordHasher  # noqa: PLC0415 - only here

    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with app.app_context():
        session, settings, now = db.session(), app.config["SETTINGS"], utc_now()
        stores = []
        for merchant_id, name, account in ((816, "Fern & Fable", "1000001"), (900, "Other Goods", "1000002")):
            save_merchant(session, merchant_id, name=name, token="token", settings=settings, now=now, actor="test")
            stores.append(
                connect_store(
                    session, merchant_id, account_id=account, token="store-token", settings=settings,
                    now=now, actor="test",
                ).store
            )  # fmt: skip
        made = World(stores[0].id, stores[1].id)
        for email, role, merchant_id_of in (
            (made.owner, Role.MERCHANT, 816),
            (made.teammate, Role.MERCHANT, 816),
            (made.stranger, Role.MERCHANT, 900),
            (made.support, Role.SUPPORT, None),
        ):
            session.add(
                User(
                    email=email, password_hash=hashed, session_key=f"key-{email}", role=role,
                    merchant_id=merchant_id_of, created_at=now,
                )
            )  # fmt: skip
        session.commit()
    return made


@pytest.fixture
def client_of(app: Flask) -> Callable[[str | None], FlaskClient]:
    """Make a separate browser logged in as the user with this email address; None means logged out."""

    def make(email: str | None) -> FlaskClient:
        client = app.test_client()
        if email is not None:
            log_in_as(app, client, email)
        return client

    return make


@pytest.fixture
def owner(world: World, client_of: Callable[[str | None], FlaskClient]) -> FlaskClient:
    return client_of(world.owner)


@pytest.fixture
def orders(app: Flask, world: World) -> Orders:
    return put_orders(app, world)


@pytest.fixture
def big_cartel_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Big Cartel answers immediately and reports no changes."""

    def read_again(_: Session, orders: Sequence[Order], *__: object) -> set[int]:
        return {order.id for order in orders}

    for module in ("orders", "order_list"):
        monkeypatch.setattr(f"portal.views.{module}.reread_orders", read_again)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[queue.Call]:
    """The calls that workers were woken for."""
    calls: list[queue.Call] = []
    monkeypatch.setattr(queue, "wake", lambda _connection, given: calls.extend(given))
    return calls


@pytest.fixture
def long_ago(app: Flask, world: World) -> None:
    """Merchant and store were last changed a day ago, and the next poll is a day away."""
    with app.app_context():
        db.session.get_one(Merchant, 816).rules_changed_at = utc_now() - timedelta(days=1)
        db.session.get_one(Store, world.store_id).next_poll_at = utc_now() + timedelta(days=1)
        db.session.commit()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def warehouse(app: Flask, sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sandbox FCP with merchants 816 and 817, and the app set up to use it."""
    sandbox_process.reset()
    sandbox_process.put_merchant("816", name="Fern & Fable", token="right-token")
    sandbox_process.put_merchant("817", name="Moss & Co", token="moss-token")
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], fcp_api_url=sandbox_process.fcp_api_url)
    yield sandbox_process
    sandbox_process.clear_faults()


def read(response: TestResponse, status: int = 200) -> BeautifulSoup:
    """Parse a response, and check what holds for every page."""
    assert response.status_code == status, response.get_data(as_text=True)[:2000]
    page = BeautifulSoup(response.get_data(as_text=True), "html.parser")
    assert re.match(r"\S.* · Cartload$", text_in(page, "head title"))
    one(page, "h1")
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids)), "duplicate ids"
    assert not page.find_all(style=True)
    assert not page.find_all("style")
    assert all(script.get("src") for script in page.find_all("script"))
    for form in page.find_all("form", method=re.compile("post", re.IGNORECASE)):
        assert form.find("input", {"name": "csrf_token"}), "a form has no CSRF token"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    return page


def get(client: FlaskClient, url: str, status: int = 200) -> BeautifulSoup:
    return read(client.get(url), status)


def post(client: FlaskClient, url: str, /, **fields: object) -> TestResponse:
    """Submit a form to ``url`` with a CSRF token and follow the redirect."""
    token = BeautifulSoup(client.get("/log-in").get_data(as_text=True), "html.parser").find(
        "input", {"name": "csrf_token"}
    )
    value = token["value"] if token else _body_token(client)
    return client.post(url, data={**fields, "csrf_token": value}, follow_redirects=True)


def _body_token(client: FlaskClient) -> str:
    page = BeautifulSoup(client.get("/account").get_data(as_text=True), "html.parser")
    return str(one(page, "main form:first-of-type input[name=csrf_token]")["value"])


__all__ = ["PASSWORD", "Merchant", "Store", "World", "get", "post", "read"]
