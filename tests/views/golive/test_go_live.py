"""Choosing the orders to send, confirming the choice, and who may do it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from portal.extensions import db
from portal.models import Store
from tests.views.conftest import World, get, read
from tests.views.golive.golive_world import DAY, figures, run_jobs
from tests.views.page import one, text, text_in
from tests.views.real_services import audited, send, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox


@pytest.mark.parametrize(
    ("choice", "sentence", "more"),
    [
        ("start=all", "We'll send 2 orders to the warehouse now", "2 orders stay on hold"),
        (
            f"start=day&day={DAY}",
            "We'll send 1 order to the warehouse now",
            "1 order was placed before June 1, 2026 (midnight UTC)",
        ),
        ("start=new", "We'll send no orders now", "2 orders were placed before now and won't be sent"),
    ],
)
def test_confirmation_says_what_the_choice_does(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox, choice: str, sentence: str, more: str
) -> None:
    run_jobs(app, world)
    shown = text_in(get(owner, f"{url}/confirm?{choice}"))
    assert sentence in shown
    assert more in shown
    assert not stores(app)["1000001"].live


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("", "Choose which orders to send."),
        ("start=some", "Not a valid choice"),
        ("start=day", "Choose the first day below."),
        ("start=day&day=soon", "Enter the day as YYYY-MM-DD."),
        ("start=day&day=0026-06-01", "Check the year."),
    ],
)
def test_incomplete_choice_is_explained(app: Flask, owner: FlaskClient, url: str, choice: str, said: str) -> None:
    page = read(owner.get(f"{url}/confirm?{choice}"), 422)
    assert any(said in text(error) for error in page.select(".invalid-feedback"))
    links = page.select("[data-focus] a")
    assert links, "the summary at the top must link to the field"
    one(page, str(links[0]["href"]))
    assert text_in(page, "head title").startswith("Error: ")
    assert read(send(owner, f"{url}/confirm"), 422).find("button", string="Go live") is None
    assert not stores(app)["1000001"].live


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ({"start": "all"}, {"FERN-1", "FERN-2"}),
        ({"start": "day", "day": DAY}, {"FERN-2"}),
        ({"start": "new"}, set()),
    ],
)
def test_going_live_sends_what_was_chosen(
    app: Flask,
    world: World,
    owner: FlaskClient,
    url: str,
    store_orders: Sandbox,
    choice: dict[str, str],
    sent: set[str],
) -> None:
    run_jobs(app, world)
    page = get(owner, send(owner, f"{url}/confirm", **choice).headers["Location"])
    assert "is live." in page.get_text()
    assert page.select("#order-flow"), "the orders on their way are shown, and update themselves"
    assert "This store is live." in get(owner, url).get_text()
    run_jobs(app, world)
    assert store_orders.accepted("816") == dict.fromkeys(sent, 1)
    created = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    store_orders.place_order(number="FERN-9", items=[{"product": "1"}], created_at=created, account="1000001")
    run_jobs(app, world)
    assert store_orders.accepted("816") == dict.fromkeys({*sent, "FERN-9"}, 1)
    assert (world.owner, "store went live") in [(actor, action) for actor, action, _ in audited(app)]


def test_first_day_starts_at_the_stores_midnight(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    with app.app_context():
        db.session.get_one(Store, world.store_id).time_zone = "Eastern Time (US & Canada)"
        db.session.commit()
    run_jobs(app, world)
    eastern = "Eastern Time (US & Canada)"
    assert f"The day starts at midnight in the store's time zone, {eastern}." in text_in(get(owner, url))
    asked = text_in(get(owner, f"{url}/confirm?start=day&day=2025-05-05"))
    assert "We'll send 2 orders to the warehouse now" in asked
    assert f"May 6, 2025 (midnight {eastern})" in text_in(get(owner, f"{url}/confirm?start=day&day=2025-05-06"))
    send(owner, f"{url}/confirm", start="day", day="2025-05-06")
    assert stores(app)["1000001"].starts_at == datetime(2025, 5, 6, 4, tzinfo=UTC)
    assert f"placed on or after 2025-05-06 00:00 {eastern}" in text_in(get(owner, url))
    run_jobs(app, world)
    assert store_orders.accepted("816") == {"FERN-2": 1}
    held = text_in(get(owner, "/m/816/orders/FERN-1"))
    assert f"placed before 2025-05-06 00:00 {eastern}".lower() in held.lower()
    reasons = [reason for _, action, reason in audited(app) if action == "store went live"]
    assert reasons == [f"orders placed since 2025-05-06 00:00 {eastern}"]


def test_choice_can_be_changed_later(
    app: Flask, world: World, owner: FlaskClient, url: str, store_orders: Sandbox
) -> None:
    run_jobs(app, world)
    send(owner, f"{url}/confirm", start="new")
    run_jobs(app, world)
    page = get(owner, url)
    one(page, "button", "Review change")
    assert figures(page)["would be sent"] == 2
    one(get(owner, f"{url}/confirm?start=all"), "button", "Save change and send 2 orders")
    send(owner, f"{url}/confirm", start="all")
    run_jobs(app, world)
    assert store_orders.accepted("816") == {"FERN-1": 1, "FERN-2": 1}
    assert (world.owner, "start date changed", "all orders") in audited(app)
    assert "FERN-1" not in get(owner, url).get_text()


def test_disconnected_store_cannot_go_live(app: Flask, world: World, owner: FlaskClient, url: str) -> None:
    with app.app_context():
        db.session.get_one(Store, world.store_id).sealed_token = ""
        db.session.commit()
    page = get(owner, url)
    one(page, "a[href='/connect?merchant_id=816']", "Reconnect store")
    assert page.find("form", action=f"{url}/confirm") is None
    for action in (f"{url}/read", f"{url}/confirm"):
        assert send(owner, action, start="all").status_code == 303
    assert owner.get(f"{url}/confirm?start=all").headers["Location"] == url
    assert not stores(app)["1000001"].live


# Access


def test_support_must_give_a_reason(
    app: Flask, world: World, url: str, client_of: Callable[..., FlaskClient], store_orders: Sandbox
) -> None:
    run_jobs(app, world)
    support = client_of(world.support)
    get(support, url)
    for action in ("read", "ask", "confirm"):
        page = read(send(support, f"{url}/{action}", start="all"), 422)
        assert "Say why" in page.get_text()
    assert not stores(app)["1000001"].live
    for action in ("read", "ask", "confirm"):
        assert send(support, f"{url}/{action}", start="all", reason="On the phone").status_code == 303
    done = [(action, reason) for actor, action, reason in audited(app) if actor == world.support]
    assert done == [
        ("store synced", "On the phone"),
        ("dry run requested", "On the phone"),
        ("store went live", "all orders; On the phone"),
    ]


def test_other_merchants_get_not_found(
    app: Flask, world: World, url: str, client_of: Callable[..., FlaskClient]
) -> None:
    stranger = client_of(world.stranger)
    for address in (url, f"/m/900/go-live/{world.store_id}"):
        get(stranger, address, 404)
        get(stranger, f"{address}/confirm?start=all", 404)
        for action in ("read", "ask", "confirm"):
            assert send(stranger, f"{address}/{action}", start="all").status_code == 404
    assert not stores(app)["1000001"].live
    assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")
