"""The dashboard, as a merchant and as support reads it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from redis import Redis
from sqlalchemy import insert, select

from portal import queue
from portal.extensions import db
from portal.fulfillment.clients import CHECK_TOKEN, RECONNECT
from portal.models import AuditEntry, Merchant, Order, OrderState, Product, SkuOverride, Store
from portal.reports.overview import TO_MEND, Outcome, history
from portal.rules.assessment import Hold, HoldReason
from tests.views.conftest import get, post
from tests.views.counting import statements
from tests.views.orders_world import Orders, put_many
from tests.views.page import one, section, text, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World

    Clients = Callable[[str | None], FlaskClient]

HERE = "/m/816/"
LIVE = {"HX-Request": "true", "HX-Target": "live"}
CONNECT = ("/connect", "/BigCartel/")


def change(app: Flask, kind: type[Merchant | Store], key: int, **values: Any) -> None:
    with app.app_context():
        row = db.session.get_one(kind, key)
        for name, value in values.items():
            setattr(row, name, value)
        db.session.commit()


def is_due(app: Flask, store_id: int) -> bool:
    with app.app_context():
        due_at = db.session.get_one(Store, store_id).next_poll_at
    return due_at is not None and due_at <= datetime.now(UTC)


def place(app: Flask, world: World, placed: datetime, state: OrderState, count: int = 1, **columns: Any) -> None:
    """So many orders in that state, placed and seen then."""
    with app.app_context():
        start = len(db.session.scalars(select(Order.id)).all())
        rows = [
            {
                "merchant_id": 816, "store_id": world.store_id, "number": f"N-{start + n}", "state": state,
                "state_changed_at": placed, "document": "{}", "placed_at": placed, "first_seen_at": placed,
                "next_attempt_at": placed, **columns,
            }
            for n in range(count)
        ]  # fmt: skip
        db.session.execute(insert(Order), rows)
        db.session.commit()


def test_only_the_merchants_own_people_and_support_see_it(world: World, client_of: Clients) -> None:
    poll = f"/m/816/stores/{world.store_id}/poll"
    for url in (HERE, poll):
        get(client_of(world.owner), url)
        get(client_of(world.support), url)
        get(client_of(world.stranger), url, 404)
        assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")
    get(client_of(world.owner), f"/m/816/stores/{world.other_store_id}/poll", 404)
    assert post(client_of(world.stranger), poll).status_code == 404


def test_what_needs_the_merchant_is_counted_and_leads_to_the_orders(
    orders: Orders, world: World, client_of: Clients
) -> None:
    client = client_of(world.owner)
    links = section(get(client, HERE), "needs-me").find_all("a")
    figures = {str(link["id"]): int(text_in(link, ".badge")) for link in links}
    assert figures == {
        "need-rejected": 1, "need-not-sent": 1, "need-no_sku": 1, "need-no_mapping": 1, "need-local_pickup": 1,
        "need-payment_not_completed": 1,
    }  # fmt: skip
    for link in links:
        asked = parse_qs(urlsplit(str(link["href"])).query)
        assert asked["state"]
        shown = text_in(get(client, str(link["href"])))
        expected = {
            "need-rejected": orders.rejected, "need-not-sent": orders.given_up, "need-no_sku": orders.no_sku,
            "need-no_mapping": orders.no_mapping, "need-local_pickup": orders.pickup,
            "need-payment_not_completed": orders.unpaid,
        }[str(link["id"])]  # fmt: skip
        assert expected in shown
    urgent, waiting = section(get(client, HERE), "needs-me").find_all("ul")
    assert "SKU" in text(urgent)
    assert text(waiting).endswith("The payment is not completed.")


def test_an_order_that_the_warehouse_lost_is_named(app: Flask, world: World, client_of: Clients) -> None:
    now = datetime.now(UTC)
    place(app, world, now, OrderState.SUBMITTED, 3, fcp_missing_since=now)
    place(app, world, now, OrderState.SHIPPED, 2, next_attempt_at=None)
    needs = section(get(client_of(world.owner), HERE), "needs-me")
    assert text_in(needs, "#need-lost").startswith("3 The warehouse accepted them")
    assert text_in(needs, "#need-not-told").startswith("2 Shipped, but Big Cartel could not be told")


def test_nothing_to_do_is_said(world: World, client_of: Clients) -> None:
    assert "Nothing. Every order is on its way" in text(section(get(client_of(world.owner), HERE), "needs-me"))


def test_store_and_portal_are_said_to_work(
    app: Flask, orders: Orders, world: World, client_of: Clients, redis_url: str
) -> None:
    polled = datetime(2026, 11, 5, 8, 30, tzinfo=UTC)
    change(
        app, Store, world.store_id, name="Fern", last_polled_at=polled, next_poll_at=datetime(2126, 1, 1, tzinfo=UTC)
    )
    working = section(get(client_of(world.owner), HERE), "working")
    assert "Queue not reached" in text(working)
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    working = section(get(client_of(world.owner), HERE), "working")
    assert "Last read 2026-11-05 08:30 UTC Read next 2126-01-01 00:00 UTC" in text(working)
    assert text(working.select(".badge")[0]) == "Working"
    assert f"Last submission {orders.purged}, 2026" in text(working)
    assert "No worker" in text(working)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"workers": 2, "schedules": 1, "waiting": 0}, "Everything runs."),
        ({"workers": 1, "schedules": 0, "waiting": 0}, "No schedule"),
    ],
)
def test_workers_and_schedule(
    world: World, client_of: Clients, monkeypatch: pytest.MonkeyPatch, health: dict[str, int], words: str
) -> None:
    monkeypatch.setattr(queue, "health", lambda _: health)
    assert words in text(section(get(client_of(world.owner), HERE), "working"))


def test_a_refused_token_leads_to_reconnect(app: Flask, world: World, client_of: Clients) -> None:
    change(
        app, Store, world.store_id, name="Fern", reconnect_needed_at=datetime.now(UTC), next_poll_at=None,
        poll_error=RECONNECT,
    )  # fmt: skip
    client = client_of(world.owner)
    page = get(client, HERE)
    assert f"Fern: {RECONNECT}" in text_in(page, ".alert-danger")
    assert one(page, "#remedy-1")["href"] in CONNECT
    assert page.find(string="Run now") is None
    answer = post(client, f"/m/816/stores/{world.store_id}/poll")
    assert "Fern cannot be read" in answer.get_data(as_text=True)


def test_refused_credentials_lead_to_the_settings(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Merchant, 816, credentials_refused_at=datetime.now(UTC), credentials_refused_words="Bad <token>")
    page = get(client_of(world.owner), HERE)
    alert = text_in(page, ".alert-danger")
    assert alert.startswith(f'{CHECK_TOKEN} It said: "Bad <token>".')
    assert one(page, "#remedy-1")["href"] == "/m/816/settings/credentials"


def test_outages_say_when_it_is_tried_again(app: Flask, world: World, client_of: Clients) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    change(app, Merchant, 816, fcp_after=later, fcp_error="The connection was refused.")
    change(app, Store, world.store_id, poll_error="Big Cartel answered 503.", next_poll_at=later)
    alerts = [text(alert) for alert in get(client_of(world.owner), HERE).select(".alert-warning")]
    again = f"It is tried again by itself: {later:%Y-%m-%d %H:%M} UTC"
    assert len(alerts) == 2
    assert all(again in alert for alert in alerts)
    assert "The connection was refused." in alerts[1]


def test_run_now_wakes_a_poll_and_writes_it_down(app: Flask, world: World, client_of: Clients, redis_url: str) -> None:
    change(app, Store, world.store_id, name="Fern", next_poll_at=datetime(2126, 1, 1, tzinfo=UTC))
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], redis_url=redis_url)
    client = client_of(world.owner)
    form = one(section(get(client, HERE), "working"), "form")
    answer = post(client, str(form["action"]))
    assert "Fern is read as soon as a worker is free" in answer.get_data(as_text=True)
    with Redis.from_url(redis_url) as connection:
        (job_id,) = queue.open_queue(connection).get_job_ids()
    assert job_id.startswith(f"poll-{world.store_id}-")
    with app.app_context():
        assert is_due(app, world.store_id)
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject, entry.merchant_id) == (
            world.owner, "store read now", "Fern", 816,
        )  # fmt: skip


def test_run_now_is_due_even_without_redis(app: Flask, world: World, client_of: Clients) -> None:
    change(app, Store, world.store_id, next_poll_at=datetime(2126, 1, 1, tzinfo=UTC))
    assert post(client_of(world.owner), f"/m/816/stores/{world.store_id}/poll").status_code == 200
    with app.app_context():
        assert is_due(app, world.store_id)


def test_support_says_why_it_runs_a_store(app: Flask, world: World, client_of: Clients) -> None:
    client, url = client_of(world.support), f"/m/816/stores/{world.store_id}/poll"
    assert one(get(client, HERE), f"#run-{world.store_id}")["href"] == url
    assert "Say why" in post(client, url).get_data(as_text=True)
    post(client, url, reason="The merchant called")
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "store read now")).all()
        assert [(entry.actor, entry.reason) for entry in entries] == [(world.support, "The merchant called")]


def test_the_set_up_leads_step_by_step(app: Flask, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)

    def following() -> tuple[str, str]:
        step = one(section(get(client, HERE), "set-up"), "li[aria-current=step]")
        return text_in(step, ".fw-semibold"), str(one(step, "a")["href"])

    token = "sealed"
    change(app, Store, world.store_id, sealed_token="", next_poll_at=None)
    name, link = following()
    assert (name, link in CONNECT) == ("1. Connect your store", True)
    change(app, Store, world.store_id, sealed_token=token)
    assert following() == ("2. Choose the carrier services", "/m/816/shipping")
    change(app, Merchant, 816, domestic_service="USPS_MEDIA", international_service="EPGEPACKT")
    assert following() == ("3. Mend the SKUs", "/m/816/products")
    change(app, Store, world.store_id, products_refreshed_at=datetime.now(UTC))
    name, link = following()
    assert name == "4. Rehearse and go live"
    if "merchant.golive.golive" in app.view_functions:
        assert str(world.store_id) in link
    change(app, Store, world.store_id, live=True)
    assert not get(client, HERE).select("section[aria-labelledby=set-up]")


def test_a_merchant_without_a_store_is_shown_the_way(app: Flask, world: World, client_of: Clients) -> None:
    with app.app_context():
        db.session.delete(db.session.get_one(Store, world.store_id))
        db.session.commit()
    page = get(client_of(world.owner), HERE)
    assert "No store is connected yet" in text(section(page, "working"))
    assert one(page, "#connect-first")["href"] in CONNECT


def put_products(app: Flask, store_id: int) -> None:
    options = [{"id": "a", "name": "SMALL"}, {"id": "b", "name": "LARGE"}]
    with app.app_context():
        for product_id, description, its_options in (
            ("1", "Fine. SKU:MUG", []),
            ("2", "None", []),
            ("3", "By hand", []),
            ("4", "One option by hand, the other not", options),
            ("5", "Both by hand", options),
            ("6", "Broken sku:X", []),
        ):
            db.session.add(
                Product(
                    store_id=store_id, product_id=product_id, description=description, options=its_options,
                    fetched_at=datetime.now(UTC),
                )
            )  # fmt: skip
        for product_id, option_id in (("3", ""), ("4", "a"), ("5", "a"), ("5", "b")):
            db.session.add(
                SkuOverride(
                    store_id=store_id, product_id=product_id, option_id=option_id, sku=f"S{option_id}", set_by="x",
                    set_at=datetime.now(UTC),
                )
            )  # fmt: skip
        db.session.commit()


def test_products_without_a_sku_cannot_be_overlooked(app: Flask, world: World, client_of: Clients) -> None:
    put_products(app, world.store_id)
    change(app, Merchant, 816, domestic_service="USPS_MEDIA", international_service="EPGEPACKT")
    change(app, Store, world.store_id, live=True, products_refreshed_at=datetime.now(UTC))
    alert = one(get(client_of(world.owner), HERE), ".alert-danger")
    assert text(alert).startswith("3 products have no SKU that can be sent.")
    assert one(alert, "a")["href"] == "/m/816/products"
    change(app, Merchant, 816, ignore_items_without_sku=True)
    alert = one(get(client_of(world.owner), HERE), ".alert-danger")
    assert text(alert).startswith("1 product has no SKU that can be sent.")


def test_the_chart_and_its_table_agree(app: Flask, world: World, client_of: Clients) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    for back, state, count in (
        (0, OrderState.HELD, 2), (0, OrderState.READY, 1), (1, OrderState.COMPLETED, 30), (1, OrderState.CLOSED, 3),
        (13, OrderState.SHIPPED, 4), (13, OrderState.SUBMITTED, 5), (13, OrderState.REJECTED, 1),
        (14, OrderState.COMPLETED, 99),
    ):  # fmt: skip
        place(app, world, today - timedelta(days=back), state, count)
    happened = section(get(client_of(world.owner), HERE), "happened")
    chart = one(happened, "svg.chart")
    titles = [text_in(bar, "title") for bar in chart.select("rect")]
    day = f"{today:%d %b}"
    assert f"{day}: 2 on hold" in titles
    assert f"{day}: 1 waiting to send" in titles
    assert f"{today - timedelta(days=1):%d %b}: 30 done" in titles
    assert f"{today - timedelta(days=13):%d %b}: 9 at the warehouse" in titles
    assert text_in(chart, "desc").startswith("46 orders in 14 days, 30 done,")
    table = one(happened, "details table")
    rows = {text_in(row, "th"): [int(text(cell)) for cell in row.select("td")] for row in table.select("tr")[1:]}
    assert len(rows) == 15
    assert rows[f"{today:%Y-%m-%d}"] == [0, 0, 1, 2, 0, 0, 3]
    assert rows[f"{today - timedelta(days=1):%Y-%m-%d}"] == [30, 0, 0, 0, 0, 3, 33]
    assert rows["All days"] == [30, 9, 1, 2, 1, 3, 46]
    drawn = sum(float(str(bar["height"])) for bar in chart.find_all("rect"))
    assert drawn == pytest.approx(46 / 40 * 140, abs=0.2)


def test_days_begin_at_midnight_utc_and_fall_back_to_when_an_order_was_seen(app: Flask, world: World) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    place(app, world, midnight - timedelta(microseconds=1), OrderState.READY)
    place(app, world, midnight, OrderState.READY, 2)
    place(app, world, midnight + timedelta(hours=5), OrderState.HELD, 3, placed_at=None)
    with app.app_context():
        found = history(db.session(), 816, midnight + timedelta(hours=7))
    assert [day.total for day in found.days][-2:] == [1, 5]
    assert found.days[-1].orders == {Outcome.WAITING: 2, Outcome.HELD: 3}
    assert found.top == 10


def test_the_ledgers_two_sums_and_their_remainders(app: Flask, world: World, client_of: Clients) -> None:
    ledger = {
        "at": "2026-11-20T10:00:00+00:00", "unshipped_and_paid": 12, "at_the_warehouse": 6,
        "waiting": {"no_sku": 2, "refused by the warehouse": 1}, "left_out": 1, "missing": ["LOST-1", "LOST-2"],
        "shipped_by_the_warehouse": 3, "being_told": 2, "not_told": ["MUTE-1"], "warehouse_asked": True,
    }  # fmt: skip
    change(app, Store, world.store_id, name="Fern", ledger=ledger)
    page = get(client_of(world.owner), HERE)
    told = section(page, "ledger")
    assert (
        "Big Cartel listed 12 orders as unshipped and paid: 6 at the warehouse, 3 waiting, 1 left out by your choice, "
        "and 2 not accounted for."
    ) in text(told)
    assert (
        "the warehouse had shipped 3: Big Cartel was about to be told of 2, and 1 still showed as unshipped"
    ) in text(told)
    assert [text(item) for item in told.find_all("li")[:2]] == [
        "2: An item has no SKU that can be sent.",
        "1: Refused by the warehouse.",
    ]
    assert [text(link) for link in told.find_all("a")] == ["LOST-1", "LOST-2", "MUTE-1"]
    assert told.select("a")[0]["href"] == "/m/816/orders?number=LOST-1"
    assert "2026-11-20 10:00 UTC" in text(told)
    assert text_in(page, "#need-unaccounted").startswith("3 ")
    even = {**ledger, "missing": [], "not_told": [], "at_the_warehouse": 8, "being_told": 3, "warehouse_asked": False}
    change(app, Store, world.store_id, ledger=even)
    page = get(client_of(world.owner), HERE)
    assert text(section(page, "ledger")).count("It adds up.") == 2
    assert "The warehouse could not be asked then" in text(section(page, "ledger"))
    assert not page.select("#need-unaccounted")


def test_the_live_part_comes_alone_from_the_same_address(orders: Orders, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    live = one(get(client, HERE), "#live")
    assert (live["hx-get"], live["hx-trigger"]) == (HERE, "every 10s")
    piece = client.get(HERE, headers=LIVE).get_data(as_text=True)
    assert "need-rejected" in piece
    assert "<html" not in piece
    assert "svg" not in piece
    links = [link["id"] for link in live.find_all("a")]
    assert [link["id"] for link in BeautifulSoup(piece, "html.parser").find_all("a")] == links


def test_the_chart_follows_and_is_left_alone_while_nothing_changes(
    app: Flask, orders: Orders, world: World, client_of: Clients
) -> None:
    client = client_of(world.owner)
    address = str(one(get(client, HERE), "#history [hx-get]")["hx-get"])
    headers = {"HX-Request": "true", "HX-Target": "history"}
    assert client.get(address, headers=headers).status_code == 204
    place(app, world, datetime.now(UTC), OrderState.COMPLETED)
    piece = client.get(address, headers=headers)
    assert piece.status_code == 200
    assert "<svg" in piece.get_data(as_text=True)
    assert "<html" not in piece.get_data(as_text=True)


@pytest.mark.parametrize("reason", TO_MEND)
def test_each_reason_that_waits_for_the_merchant_is_urgent(
    app: Flask, world: World, client_of: Clients, reason: str
) -> None:
    place(app, world, datetime.now(UTC), OrderState.HELD, holds=[{"reason": reason, "detail": 'a "b" %_'}])
    needs = section(get(client_of(world.owner), HERE), "needs-me")
    assert text_in(needs, "ul a") == f"1 {Hold(HoldReason(reason)).sentence}"
    assert needs.find("h3") is None


def test_it_asks_few_queries_however_many_orders(app: Flask, orders: Orders, world: World, client_of: Clients) -> None:
    client = client_of(world.owner)
    with statements(app) as few:
        get(client, HERE)
    put_many(app, world, 2000, state=OrderState.HELD)
    with statements(app) as many:
        get(client, HERE)
    assert len(many) == len(few) <= 9
    with statements(app) as live:
        client.get(HERE, headers=LIVE)
    assert len(live) <= 5
