"""Connecting a store through Big Cartel's consent, all the ways in which that fails, and disconnecting it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from portal.crypto import unseal
from portal.extensions import db, limiter
from portal.models import Order, OrderState, Store
from tests.views.conftest import World, get, read
from tests.views.page import one, text, text_in
from tests.views.real_services import audited, connected_app, decide, leave, send, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox

ClientOf = "Callable[[str | None], FlaskClient]"
NEW = "1000003"


@pytest.fixture
def app(database_url: str, sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    sandbox_process.put_account(NEW)
    with connected_app(database_url, sandbox_process, monkeypatch) as app:
        sandbox_process.put_account(NEW, name="Moss Shop", tokens=[])
        yield app


def snapshot(app: Flask) -> list[tuple[object, ...]]:
    return [
        (one.account_id, one.merchant_id, one.sealed_token, one.name, one.live, one.next_poll_at)
        for one in stores(app).values()
    ]


def failed(client: FlaskClient, url: str, status: int, title: str) -> str:
    """The page says so, that nothing has changed, and how to go on."""
    page = read(client.get(url), status)
    assert text_in(page, "h1") == title
    shown = text_in(page)
    assert "Nothing has changed here" in shown
    assert one(page, "a", "Start again")["href"] == "/connect"
    return shown


@pytest.mark.parametrize("address", ["/connect", "/BigCartel/"])
def test_the_form_has_ones_own_merchant_id(owner: FlaskClient, address: str) -> None:
    page = get(owner, address)
    assert one(page, "input[name=merchant_id]")["value"] == "816"
    one(page, "button", "Connect")
    assert not page.select("input[name=reason]")
    assert "/m/816/connection/" in str(page)


def test_the_published_address_without_its_slash(owner: FlaskClient) -> None:
    assert owner.get("/BigCartel").headers["Location"].endswith("/BigCartel/")


@pytest.mark.parametrize("address", ["/connect", "/BigCartel/", "/connect/callback", "/m/816/connection/1"])
def test_nobody_is_asked_to_log_in(world: World, client_of: Callable[..., FlaskClient], address: str) -> None:
    assert client_of(None).get(address).headers["Location"].startswith("/log-in?next=")


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("900", "You are logged in for merchant 816."),
        ("", "Enter the Merchant Id"),
        ("abc", "Not a valid integer value."),
        ("-3", "A Merchant Id is a whole number above 0."),
        ("99999999999999999999", "A Merchant Id is a whole number above 0."),
    ],
)
def test_a_wrong_merchant_id_is_refused_beside_the_field(owner: FlaskClient, entered: str, said: str) -> None:
    page = read(send(owner, "/connect", merchant_id=entered), 422)
    assert any(said in text(error) for error in page.select(".invalid-feedback"))


def test_a_new_shop(app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    asked = leave(owner)
    assert asked["client_id"] == "portal"
    assert asked["response_type"] == "code"
    back = owner.get(decide(sandbox_process, asked, account=NEW))
    assert back.status_code == 303
    page = get(owner, back.headers["Location"])
    store = stores(app)[NEW]
    token = unseal(store.sealed_token, app.config["SETTINGS"].token_keys)
    assert token not in str(page), "hidden until it is asked for"
    one(page, "button", "Show the access token")
    shown = read(send(owner, f"/m/816/connection/{store.id}/token"))
    assert one(shown, "input#access-token")["value"] == token
    one(shown, "button[data-copy=access-token]")
    assert one(page, "input#account-id")["value"] == NEW
    assert "Nothing is sent to the warehouse before you go live." in page.get_text()
    assert one(page, "a", "Go live")["href"] == f"/m/816/go-live/{store.id}"
    assert (store.merchant_id, store.live, store.name) == (816, False, "Moss Shop")
    assert store.next_poll_at is not None
    assert (world.owner, "store connected", "") in audited(app)
    get(owner, "/connect")


def test_a_shop_is_connected_though_its_name_cannot_be_read(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    sandbox_process.fault("account", "html", times=None)
    back = owner.get(decide(sandbox_process, leave(owner), account=NEW))
    page = get(owner, back.headers["Location"])
    assert text_in(page, "h1") == f"Connection to account {NEW}"
    assert stores(app)[NEW].sealed_token


def test_connecting_again_keeps_everything(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    start = datetime(2026, 1, 2, tzinfo=UTC)
    with app.app_context():
        store = db.session.get_one(Store, world.store_id)
        store.live, store.starts_at, store.cursor = True, start, start
        store.reconnect_needed_at, store.next_poll_at, store.poll_error = start, None, "Reconnect"
        db.session.commit()
    assert "Connect again" in get(owner, "/connect").get_text()
    before = stores(app)["1000001"].sealed_token
    back = owner.get(decide(sandbox_process, leave(owner)))
    assert "is connected again. Its orders and settings are as they were." in get(
        owner, back.headers["Location"]
    ).get_text(" ")
    store = stores(app)["1000001"]
    assert (store.id, store.live, store.starts_at, store.cursor) == (world.store_id, True, start, start)
    assert (store.reconnect_needed_at, store.poll_error) == (None, "")
    assert store.next_poll_at is not None
    assert store.sealed_token != before


# What fails


def test_denied(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW, decision="deny")
    shown = failed(owner, url, 200, "The store was not connected")
    assert "choose Allow" in shown
    assert snapshot(app) == before
    failed(owner, url, 400, "This return from Big Cartel is not known")


def test_another_error_of_big_cartel(app: Flask, owner: FlaskClient) -> None:
    before = snapshot(app)
    url = f"/connect/callback?state={leave(owner)['state']}&error=server_error&error_description=Closed+<b>today</b>"
    assert "Closed <b>today</b>" in failed(owner, url, 502, "Big Cartel ended the connection")
    assert snapshot(app) == before


def test_a_return_without_a_code(app: Flask, owner: FlaskClient) -> None:
    failed(owner, f"/connect/callback?state={leave(owner)['state']}", 502, "Big Cartel ended the connection")


def test_a_state_works_once(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    url = decide(sandbox_process, leave(owner), account=NEW)
    assert owner.get(url).status_code == 303
    before = snapshot(app)
    failed(owner, url, 400, "This return from Big Cartel is not known")
    assert snapshot(app) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.replace("state=", "state=x"),
        lambda url: url.replace("state=", "other="),
        lambda url: "/connect/callback",
        lambda url: "/connect/callback?error=access_denied",
        lambda url: "/connect/callback?error=access_denied&state=made-up",
    ],
)
def test_a_state_that_is_not_ours(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, spoil: Callable[[str], str]
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    failed(owner, spoil(url), 400, "This return from Big Cartel is not known")
    assert snapshot(app) == before
    assert "POST /oauth/token" not in sandbox_process.calls("bigcartel")


def test_a_return_in_another_browser_or_as_another_person(
    app: Flask, world: World, client_of: Callable[..., FlaskClient], sandbox_process: Sandbox
) -> None:
    before, owner = snapshot(app), client_of(world.owner)
    url = decide(sandbox_process, leave(owner), account=NEW)
    failed(client_of(world.stranger), url, 400, "This return from Big Cartel is not known")
    with owner.session_transaction() as session:
        session["_user_id"] = f"key-{world.stranger}"
    failed(owner, url, 400, "This return from Big Cartel is not known")
    assert snapshot(app) == before


def test_begun_several_times(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    """The last three are good; the cookie does not grow without end."""
    begun = [leave(owner) for _ in range(5)]
    failed(owner, decide(sandbox_process, begun[0], account=NEW), 400, "This return from Big Cartel is not known")
    assert owner.get(decide(sandbox_process, begun[2], account=NEW)).status_code == 303


def test_an_expired_code(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    sandbox_process.put_client("portal", secret="portal-secret", code_seconds=-1)
    shown = failed(owner, decide(sandbox_process, leave(owner), account=NEW), 400, "Big Cartel's code was not accepted")
    assert "invalid_grant" in shown
    assert snapshot(app) == before


JSON = {"kind": "html", "content_type": "application/json"}


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ({**JSON, "body": '{"access_token": "secret-token"}'}, 502, "Big Cartel did not say which store it is"),
        ({**JSON, "body": '{"access_token": "secret-token", "account_id": null}'}, 502,
         "Big Cartel did not say which store it is"),
        ({**JSON, "body": '{"access_token": "secret-token", "account_id": ["1"]}'}, 502,
         "Big Cartel did not say which store it is"),
        ({**JSON, "body": '{"account_id": "1000003"}'}, 502, "Big Cartel's answer cannot be read"),
        ({**JSON, "body": '{"access_token": 5, "account_id": "1000003", "expires_in": "soon"}'}, 502,
         "Big Cartel's answer cannot be read"),
        ({**JSON, "body": '{"errors": [{"title": "No"}]}'}, 502, "Big Cartel's answer cannot be read"),
        ({**JSON, "body": '{"error": {"odd": 1}}'}, 400, "Big Cartel's code was not accepted"),
        ({**JSON, "body": "[1, 2]"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "html"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "garbage"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "empty"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "status"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "throttle"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "status", "status": 302}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "status", "status": 401}, 502, "Big Cartel does not know this portal"),
        ({"kind": "truncate"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "reset_before"}, 502, "Big Cartel did not answer"),
        ({"kind": "hang"}, 502, "Big Cartel did not answer"),
    ],
)  # fmt: skip
def test_odd_answers_instead_of_a_token(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, fault: dict[str, Any], status: int, title: str
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    sandbox_process.fault("token", **fault)
    shown = failed(owner, url, status, title)
    assert "secret-token" not in shown
    assert snapshot(app) == before
    failed(owner, url, 400, "This return from Big Cartel is not known")


def test_the_portals_own_secret_is_wrong(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    sandbox_process.put_client("portal", secret="changed")
    failed(owner, decide(sandbox_process, leave(owner), account=NEW), 502, "Big Cartel does not know this portal")


def test_a_shop_of_another_merchant(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account="1000002")
    shown = failed(owner, url, 409, "This store belongs to another merchant")
    assert "900" not in shown
    assert "Other Goods" not in shown
    assert snapshot(app) == before


def test_a_portal_that_big_cartel_does_not_know_says_so(app: Flask, owner: FlaskClient) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], bigcartel_client_id="")
    assert "BIGCARTEL_CLIENT_ID" in get(owner, "/connect").get_text()
    assert "BIGCARTEL_CLIENT_ID" in read(send(owner, "/connect", merchant_id=816), 503).get_text()


def test_connecting_is_limited(app: Flask, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)
    owner.environ_base["REMOTE_ADDR"] = f"test-{uuid4().hex}"  # what other tests sent does not count
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
    assert back.headers["Location"].startswith("/m/816/connection/")
    assert stores(app)[NEW].merchant_id == 816
    assert (world.support, "store connected", "Asked for on the phone") in audited(app)


def test_support_sees_the_token_only_with_a_reason(
    app: Flask, world: World, client_of: Callable[..., FlaskClient]
) -> None:
    support, url = client_of(world.support), f"/m/816/connection/{world.store_id}"
    assert "shop-token" not in str(get(support, url))
    refused = read(send(support, f"{url}/token"), 422)
    assert "shop-token" not in str(refused)
    assert "Say why" in refused.get_text()
    shown = read(send(support, f"{url}/token", reason="To compare it"))
    assert one(shown, "input#access-token")["value"] == "shop-token"
    assert (world.support, "access token shown", "To compare it") in audited(app)


# The connection's page


def test_the_token_is_shown_on_request_and_it_is_written_down_who_asked(
    app: Flask, world: World, owner: FlaskClient
) -> None:
    url = f"/m/816/connection/{world.store_id}"
    shown = read(send(owner, f"{url}/token"))
    assert one(shown, "input#access-token")["value"] == "shop-token"
    assert (world.owner, "access token shown", "") in audited(app)
    assert one(shown, "a", "Hide")["href"] == url
    assert "shop-token" not in str(get(owner, url))


def test_strangers_find_nothing(world: World, client_of: Callable[..., FlaskClient]) -> None:
    stranger = client_of(world.stranger)
    for url in (f"/m/816/connection/{world.store_id}", f"/m/900/connection/{world.store_id}"):
        get(stranger, url, 404)
        assert send(stranger, f"{url}/token").status_code == 404
        assert send(stranger, f"{url}/disconnect", sure="y").status_code == 404


def test_a_token_whose_key_is_gone(app: Flask, world: World, owner: FlaskClient) -> None:
    with app.app_context():
        db.session.get_one(Store, world.store_id).sealed_token = "gAAAA-not-ours"
        db.session.commit()
    page = get(owner, f"/m/816/connection/{world.store_id}")
    assert "cannot be opened" in page.get_text()
    assert not page.select("input#access-token")


def test_disconnecting_revokes_at_big_cartel(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    url = f"/m/816/connection/{world.store_id}"
    assert "Tick this box" in read(send(owner, f"{url}/disconnect"), 422).get_text()
    assert stores(app)["1000001"].sealed_token
    page = get(owner, send(owner, f"{url}/disconnect", sure="y").headers["Location"])
    assert "our access is revoked at Big Cartel" in page.get_text()
    assert not page.select("input#access-token")
    store = stores(app)["1000001"]
    assert (store.sealed_token, store.next_poll_at) == ("", None)
    assert "POST /oauth/deauthorize/{account}" in sandbox_process.calls("bigcartel")
    answer = requests.get(
        f"{sandbox_process.bigcartel_api_url}/accounts/1000001",
        headers={"Accept": "application/vnd.api+json", "Authorization": "Bearer shop-token"},
        timeout=9,
    )
    assert answer.status_code == 401
    assert audited(app)[-1] == (world.owner, "store disconnected; revoked at Big Cartel", "")
    again = send(owner, f"{url}/disconnect", sure="y").headers["Location"]
    assert "is disconnected already" in get(owner, again).get_text()
    assert "Disconnected" in get(owner, "/connect").get_text()


def test_disconnecting_while_big_cartel_is_away(app: Flask, world: World, owner: FlaskClient) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, bigcartel_token_url="http://127.0.0.1:1/oauth/token")
    url = f"/m/816/connection/{world.store_id}"
    page = get(owner, send(owner, f"{url}/disconnect", sure="y").headers["Location"])
    assert "remove the access there too" in page.get_text()
    assert stores(app)["1000001"].sealed_token == ""
    assert audited(app)[-1][1] == "store disconnected; not revoked at Big Cartel"


def test_a_disconnected_shop_can_be_connected_again(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    send(owner, f"/m/816/connection/{world.store_id}/disconnect", sure="y")
    assert owner.get(decide(sandbox_process, leave(owner))).status_code == 303
    store = stores(app)["1000001"]
    assert store.id == world.store_id
    assert store.sealed_token


def test_disconnecting_says_what_becomes_of_orders(app: Flask, world: World, owner: FlaskClient) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        for number, state in (("A-1", OrderState.READY), ("A-2", OrderState.SUBMITTED), ("A-3", OrderState.SUBMITTED)):
            db.session.add(
                Order(
                    merchant_id=816, store_id=world.store_id, number=number, state=state, state_changed_at=now,
                    document="{}", first_seen_at=now,
                )
            )  # fmt: skip
        db.session.commit()
    shown = text(get(owner, f"/m/816/connection/{world.store_id}"))
    assert "1 order is waiting to be sent" in shown
    assert "2 orders are at the warehouse" in shown
