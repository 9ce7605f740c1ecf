"""The page of a connected store: its access token, and disconnecting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import requests

from portal.extensions import db
from portal.models import Order, OrderState, Store
from tests.views.conftest import World, get, read
from tests.views.page import one, text
from tests.views.real_services import audited, decide, leave, send, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox


def test_support_must_give_a_reason_to_see_the_token(
    app: Flask, world: World, client_of: Callable[..., FlaskClient]
) -> None:
    support, url = client_of(world.support), f"/m/816/connection/{world.store_id}"
    assert "store-token" not in str(get(support, url))
    rejected = read(send(support, f"{url}/token"), 422)
    assert "store-token" not in str(rejected)
    assert "Say why" in rejected.get_text()
    shown = read(send(support, f"{url}/token", reason="To compare it"))
    assert one(shown, "input#access-token")["value"] == "store-token"
    assert (world.support, "access token shown", "To compare it") in audited(app)


def test_token_is_shown_on_request_and_the_viewer_is_recorded(app: Flask, world: World, owner: FlaskClient) -> None:
    url = f"/m/816/connection/{world.store_id}"
    shown = read(send(owner, f"{url}/token"))
    assert one(shown, "input#access-token")["value"] == "store-token"
    assert (world.owner, "access token shown", "") in audited(app)
    assert one(shown, "a", "Hide")["href"] == url
    assert "store-token" not in str(get(owner, url))


def test_other_merchants_get_not_found(world: World, client_of: Callable[..., FlaskClient]) -> None:
    stranger = client_of(world.stranger)
    for url in (f"/m/816/connection/{world.store_id}", f"/m/900/connection/{world.store_id}"):
        get(stranger, url, 404)
        assert send(stranger, f"{url}/token").status_code == 404
        assert send(stranger, f"{url}/disconnect", sure="y").status_code == 404


def test_token_whose_key_is_missing_is_explained(app: Flask, world: World, owner: FlaskClient) -> None:
    with app.app_context():
        db.session.get_one(Store, world.store_id).sealed_token = "gAAAA-not-ours"
        db.session.commit()
    page = get(owner, f"/m/816/connection/{world.store_id}")
    assert "t decrypt the stored access token" in page.get_text()
    assert not page.select("input#access-token")


def test_disconnecting_revokes_at_big_cartel(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    url = f"/m/816/connection/{world.store_id}"
    assert "Check this box" in read(send(owner, f"{url}/disconnect"), 422).get_text()
    assert stores(app)["1000001"].sealed_token
    page = get(owner, send(owner, f"{url}/disconnect", sure="y").headers["Location"])
    assert "our access at Big Cartel is revoked" in page.get_text()
    assert not page.select("input#access-token")
    store = stores(app)["1000001"]
    assert (store.sealed_token, store.next_poll_at) == ("", None)
    assert "POST /oauth/deauthorize/{account}" in sandbox_process.calls("bigcartel")
    answer = requests.get(
        f"{sandbox_process.bigcartel_api_url}/accounts/1000001",
        headers={"Accept": "application/vnd.api+json", "Authorization": "Bearer store-token"},
        timeout=9,
    )
    assert answer.status_code == 401
    assert audited(app)[-1] == (world.owner, "store disconnected; access revoked", "")
    again = send(owner, f"{url}/disconnect", sure="y").headers["Location"]
    assert "is already disconnected" in get(owner, again).get_text()
    assert "Disconnected" in get(owner, "/connect").get_text()


def test_disconnecting_works_while_big_cartel_is_unreachable(app: Flask, world: World, owner: FlaskClient) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, bigcartel_token_url="http://127.0.0.1:1/oauth/token")
    url = f"/m/816/connection/{world.store_id}"
    page = get(owner, send(owner, f"{url}/disconnect", sure="y").headers["Location"])
    assert "Remove it in Big Cartel's settings too" in page.get_text()
    assert stores(app)["1000001"].sealed_token == ""
    assert audited(app)[-1][1] == "store disconnected; access not revoked"


def test_disconnected_store_can_be_reconnected(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    send(owner, f"/m/816/connection/{world.store_id}/disconnect", sure="y")
    assert owner.get(decide(sandbox_process, leave(owner))).status_code == 303
    store = stores(app)["1000001"]
    assert store.id == world.store_id
    assert store.sealed_token


def test_page_says_what_happens_to_orders_after_disconnecting(app: Flask, world: World, owner: FlaskClient) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        for number, state in (("A-1", OrderState.READY), ("A-2", OrderState.SUBMITTED), ("A-3", OrderState.SUBMITTED)):
            db.session.add(
                Order(
                    merchant_id=816, store_id=world.store_id, number=number, state=state, state_changed_at=now,
                    document="{}", first_seen_at=now, submitted_at=now,
                )
            )  # fmt: skip
        db.session.commit()
    shown = text(get(owner, f"/m/816/connection/{world.store_id}"))
    assert "1 order is ready to send" in shown
    assert "2 orders were sent to the warehouse" in shown
