"""Connecting a store through Big Cartel's consent page, by its merchant or by support."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv6Address
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from portal.crypto import unseal
from portal.extensions import db
from portal.models import Store
from portal.page_extensions import limiter
from tests.views.conftest import World, get, read
from tests.views.connect.connect_world import NEW
from tests.views.page import one, text, text_in
from tests.views.real_services import audited, decide, leave, send, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox


@pytest.mark.parametrize("address", ["/connect", "/BigCartel/"])
def test_form_is_filled_with_the_viewers_merchant_id(owner: FlaskClient, address: str) -> None:
    page = get(owner, address)
    assert one(page, "input[name=merchant_id]")["value"] == "816"
    one(page, "button", "Connect")
    assert not page.select("input[name=reason]")
    assert "/m/816/connection/" in str(page)


def test_published_address_works_without_its_slash(owner: FlaskClient) -> None:
    assert owner.get("/BigCartel").headers["Location"].endswith("/BigCartel/")


@pytest.mark.parametrize("address", ["/connect", "/BigCartel/", "/connect/callback", "/m/816/connection/1"])
def test_anonymous_visitor_is_asked_to_log_in(
    world: World, client_of: Callable[..., FlaskClient], address: str
) -> None:
    assert client_of(None).get(address).headers["Location"].startswith("/log-in?next=")


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("900", "You're logged in for merchant 816."),
        ("", "Enter the Merchant Id"),
        ("abc", "This isn't a Merchant Id."),
        ("-3", "This isn't a Merchant Id."),
        ("99999999999999999999", "This isn't a Merchant Id."),
    ],
)
def test_wrong_merchant_id_is_explained_beside_the_field(owner: FlaskClient, entered: str, said: str) -> None:
    page = read(send(owner, "/connect", merchant_id=entered), 422)
    assert any(said in text(error) for error in page.select(".invalid-feedback"))


def test_new_store_is_connected(app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    asked = leave(owner)
    assert asked["client_id"] == "portal"
    assert asked["response_type"] == "code"
    back = owner.get(decide(sandbox_process, asked, account=NEW))
    assert back.status_code == 303
    page = get(owner, back.headers["Location"])
    store = stores(app)[NEW]
    token = unseal(store.sealed_token, app.config["SETTINGS"].token_keys)
    assert token not in str(page), "the token is hidden until it is requested"
    one(page, "button", "Show access token of Moss Store")
    assert one(page, "#step-connect details").has_attr("open"), "it shows what was asked for"
    shown = read(send(owner, f"/m/816/connection/{store.id}/token"))
    assert one(shown, "input#access-token")["value"] == token
    one(shown, "button[data-copy=access-token]")
    assert one(page, f"input#account-id-{store.id}")["value"] == NEW
    assert "We don't send anything to the warehouse until you go live." in page.get_text()
    assert text_in(page, "#setup-status") == "2 of 6 steps complete. Next: Choose carrier services."
    assert (store.merchant_id, store.live, store.name) == (816, False, "Moss Store")
    assert store.next_poll_at is not None
    assert (world.owner, "store connected", "") in audited(app)
    get(owner, "/connect")


def test_store_is_connected_even_if_its_name_cannot_be_read(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    sandbox_process.fault("account", "html", times=None)
    back = owner.get(decide(sandbox_process, leave(owner), account=NEW))
    page = get(owner, back.headers["Location"])
    assert f"account {NEW} is connected." in text_in(page, "#step-connect")
    assert stores(app)[NEW].sealed_token


def test_reconnecting_keeps_everything(app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    start = datetime(2026, 1, 2, tzinfo=UTC)
    with app.app_context():
        store = db.session.get_one(Store, world.store_id)
        store.live, store.starts_at, store.cursor = True, start, start
        store.reconnect_needed_at, store.next_poll_at, store.poll_error = start, None, "Reconnect"
        db.session.commit()
    assert "Reconnect needed" in get(owner, "/connect").get_text()
    before = stores(app)["1000001"].sealed_token
    back = owner.get(decide(sandbox_process, leave(owner)))
    assert "is reconnected. Its orders and settings are unchanged." in get(owner, back.headers["Location"]).get_text(
        " "
    )
    store = stores(app)["1000001"]
    assert (store.id, store.live, store.starts_at, store.cursor) == (world.store_id, True, start, start)
    assert (store.reconnect_needed_at, store.poll_error) == (None, "")
    assert store.next_poll_at is not None
    assert store.sealed_token != before


def test_portal_not_registered_with_big_cartel_says_so(app: Flask, owner: FlaskClient) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], bigcartel_client_id="")
    assert "BIGCARTEL_CLIENT_ID" in get(owner, "/connect").get_text()
    assert "BIGCARTEL_CLIENT_ID" in read(send(owner, "/connect", merchant_id=816), 503).get_text()


def test_connecting_is_rate_limited(app: Flask, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)
    owner.environ_base["REMOTE_ADDR"] = str(IPv6Address(uuid4().int))  # so other tests' requests don't count
    answers = [send(owner, "/connect", merchant_id=816).status_code for _ in range(12)]
    assert answers[0] == 303
    assert answers[-1] == 429


# Support


def test_support_connects_for_a_merchant_with_a_reason(
    app: Flask, world: World, client_of: Callable[..., FlaskClient], sandbox_process: Sandbox
) -> None:
    support = client_of(world.support)
    page = get(support, "/connect?merchant_id=816")
    assert one(page, "input[name=merchant_id]")["value"] == "816"
    assert "Say why" in read(send(support, "/connect", merchant_id=816), 422).get_text()
    assert "There is no merchant 77" in read(send(support, "/connect", merchant_id=77, reason="x"), 422).get_text()
    asked = leave(support, 816, reason="Asked for on the phone")
    back = support.get(decide(sandbox_process, asked, account=NEW))
    assert back.headers["Location"].startswith("/m/816/setup")
    assert stores(app)[NEW].merchant_id == 816
    assert (world.support, "store connected", "Asked for on the phone") in audited(app)


@pytest.mark.parametrize(
    "entered", ["9" * 30, "9" * 5_000, "2147483648", "-" + "9" * 30, "0", "1e3", "abc", "\uff11x", "816\0", ""]
)
def test_support_with_an_impossible_merchant_id_gets_the_form_again(
    world: World, client_of: Callable[..., FlaskClient], entered: str
) -> None:
    page = read(send(client_of(world.support), "/connect", merchant_id=entered, reason="x"), 422)
    shown = [text(error) for error in page.select(".invalid-feedback")]
    assert shown
    assert "There is no merchant" not in str(shown)
