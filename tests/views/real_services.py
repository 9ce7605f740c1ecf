"""An app that talks to the sandbox's Big Cartel and FCP over HTTP, and helpers to walk through its consent page."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from portal import create_app, oauth
from portal.clients.circuit import Circuit
from portal.extensions import db
from portal.models import AuditEntry, Store
from portal.page_extensions import limiter
from tests.conftest import settings_for
from tests.views.page import one

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from sandbox.client import Sandbox

CLIENT, SECRET = "portal", "portal-secret"
CALLBACK = "http://127.0.0.1:8000/connect/callback"


@contextmanager
def connected_app(database_url: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Create the app, with both merchants, their stores and the portal registered in the sandbox."""
    sandbox.reset()
    sandbox.clear_calls()
    for account, name in (("1000001", "Fern Store"), ("1000002", "Other Store")):
        sandbox.put_account(account, name=name, tokens=["store-token"])
    for merchant, name in (("816", "Fern & Fable"), ("900", "Other Goods")):
        sandbox.put_merchant(merchant, name=name, token="token")
    sandbox.put_client(CLIENT, secret=SECRET, redirect_uris=[CALLBACK])
    monkeypatch.setattr(oauth, "TIMEOUT", (2.0, 2.0))
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())
    monkeypatch.setattr(limiter, "enabled", False)
    app = create_app(
        settings_for(
            database_url,
            REDIS_URL="redis://127.0.0.1:1/0",
            BIGCARTEL_CLIENT_ID=CLIENT,
            BIGCARTEL_CLIENT_SECRET=SECRET,
            BIGCARTEL_AUTHORIZE_URL=sandbox.authorize_url,
            BIGCARTEL_TOKEN_URL=sandbox.token_url,
            BIGCARTEL_API_URL=sandbox.bigcartel_api_url,
            FCP_API_URL=sandbox.fcp_api_url,
        )
    )
    yield app
    sandbox.clear_faults()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def send(client: FlaskClient, url: str, **fields: object) -> TestResponse:
    """Send a form with its CSRF token, without following redirects."""
    page = BeautifulSoup(client.get("/connect").get_data(as_text=True), "html.parser")
    token = one(page, "main input[name=csrf_token]")["value"]
    return client.post(url, data={**fields, "csrf_token": token})


def leave(client: FlaskClient, merchant_id: int = 816, **fields: object) -> dict[str, str]:
    """Press Connect and return the query of Big Cartel's consent page."""
    answer = send(client, "/connect", merchant_id=merchant_id, **fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def decide(sandbox: Sandbox, asked: dict[str, str], *, account: str = "1000001", decision: str = "allow") -> str:
    """Press a button on Big Cartel's page and return the callback address it redirects to."""
    answer = requests.post(
        sandbox.authorize_url,
        data={**asked, "account": account, "decision": decision},
        allow_redirects=False,
        timeout=9,
    )
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == CALLBACK
    return f"{back.path}?{back.query}"


def stores(app: Flask) -> dict[str, Store]:
    """Return all stores by account id."""
    with app.app_context():
        return {store.account_id: store for store in db.session.scalars(select(Store))}


def audited(app: Flask) -> list[tuple[str, str, str]]:
    """Return (actor, action, reason) of the audit trail, oldest first."""
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.actor, entry.action, entry.reason) for entry in entries]
