"""The page of one order: its state, activity, and live updates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import Attempt, AttemptKind, AttemptOutcome, Merchant, Order, OrderState, Trigger
from tests.views.conftest import World, get
from tests.views.order_pages import LIST
from tests.views.orders_world import BUYER, STREET, Orders
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


SAID = (
    ("no_sku", "On hold", "you", "Missing or invalid SKU: Poster"),
    ("unpaid", "On hold", "the buyer", "Payment not completed"),
    ("ready", "Ready to send", "us", "We'll send it to the warehouse automatically."),
    ("given_up", "Ready to send", "you", "We couldn't send this order for 72 hours."),
    ("submitting", "Sending", "us", "We're sending this order to the warehouse now."),
    ("unconfirmed", "Awaiting confirmation", "us", "won't send it twice"),
    ("rejected", "Rejected", "you", 'The warehouse rejected this order: "Invalid SKU: MUG-01".'),
    ("submitted", "At the warehouse", "the warehouse", "At the warehouse as 5001"),
    ("shipped", "Shipped", "us", "We're updating Big Cartel."),
    ("completed", "Complete", "", "marked as shipped in Big Cartel."),
    ("closed", "Closed", "", "Closed by owner@fern.example: the buyer gave up"),
    ("cancelled", "Closed", "", "Canceled at the warehouse."),
)


def test_order_page_shows_the_state_and_who_acts_next(orders: Orders, owner: FlaskClient) -> None:
    for case, badge, waiting_on, sentence in SAID:
        said = text_in(get(owner, f"{LIST}/{getattr(orders, case)}"), "#state")
        assert said.startswith(badge), case
        assert sentence in said
        assert (f"Waiting on {waiting_on} " in said) if waiting_on else ("Waiting on" not in said)


def test_hold_shows_its_remedy_and_links_to_the_fix(orders: Orders, world: World, owner: FlaskClient) -> None:
    for case, remedy, link in (
        ("no_sku", "Fix the description, or enter the SKU under Products.", f"/m/816/products?store={world.store_id}"),
        ("no_mapping", "Choose a carrier service under Shipping", "/m/816/shipping"),
        ("unpaid", "We'll send it once Big Cartel shows the payment as completed", "/m/816/settings"),
        ("pickup", "To send it anyway, release it.", "https://my.bigcartel.com/orders/FERN-100002"),
    ):
        hold = one(get(owner, f"{LIST}/{getattr(orders, case)}"), "#state li")
        assert remedy in text(hold)
        one(hold, f"a[href='{link}']")


def test_order_of_a_store_that_is_not_live_links_to_going_live(
    app: Flask, orders: Orders, world: World, owner: FlaskClient
) -> None:
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.no_sku)).one()
        order.holds = [{"reason": "not_live", "detail": ""}]
        db.session.commit()
    page = get(owner, f"{LIST}/{orders.no_sku}")
    one(page, f"a[href='/m/816/go-live/{world.store_id}']", "Choose orders to send")


def test_order_page_shows_items_service_tracking_address_and_activity(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}/{orders.completed}")
    said = text_in(page)
    assert "Plain Mug 2 MUG-01 Product description in Big Cartel" in said
    assert "It ships to US, which counts as domestic (DOMESTIC_DEFAULT)." in said
    assert "Its carrier service is USPS Media Mail (USPS_MEDIA), as chosen under Shipping." in said
    one(page, "a[href='https://tools.usps.com/go/TrackConfirmAction?tLabels=9400100000000000000001']")
    assert [field["value"] for field in page.select("#tracking input")] == [
        "9400100000000000000001",
        "9400100000000000000002",
    ]
    hidden = one(page, "details:has(address)")
    assert not hidden.has_attr("open")
    assert BUYER in text(hidden)
    assert STREET in text(hidden)
    activity = [one.get_text(strip=True) for one in page.select("#timeline li > div > strong")]
    assert activity == [
        "Update Big Cartel: Succeeded",
        "Status check: Succeeded",
        "Send order: Succeeded",
        "First synced from Big Cartel",
        "Placed by the buyer",
    ]
    assert f"<OrderNumber>{orders.completed}</OrderNumber>" in text(page.select("#timeline details")[0])
    assert page.select(f"a[href='https://my.bigcartel.com/orders/{orders.completed}']")


def test_order_number_in_lower_case_is_found(orders: Orders, owner: FlaskClient) -> None:
    assert f"Order {orders.rejected}" in text_in(get(owner, f"{LIST}/{orders.rejected.lower()}"), "h1")


@pytest.mark.parametrize(
    ("words", "said", "place"),
    [
        ("Invalid SKU: MUG-01", "Fix the SKU or ask the warehouse to add it.", "/m/816/orders/FERN-100009/sku"),
        (
            "Unknown ShippingMethod USPS_MEDIA",
            "Choose a different carrier service",
            "/m/816/orders/FERN-100009/service",
        ),
        (
            "PostalCode does not match State",
            "Fix the order's address in Big Cartel.",
            "/m/816/orders/FERN-100009/address",
        ),
        ("Computer says no", "Fix the problem the warehouse describes.", None),
    ],
)
def test_rejection_is_explained_and_links_to_the_fix(
    app: Flask, orders: Orders, owner: FlaskClient, words: str, said: str, place: str | None
) -> None:
    with app.app_context():
        db.session.get_one(Order, orders.ids[orders.rejected]).state_reason = words
        db.session.commit()
    page = get(owner, f"{LIST}/{orders.rejected}")
    assert said in text_in(page, "#state")
    links = [str(link["href"]) for link in page.select("#state a[data-dialog]:not([href$=retry], [href$=close])")]
    assert (not links) if place is None else links[0].startswith(place)


def test_ready_order_waits_on_the_merchant_while_credentials_are_rejected(
    app: Flask, orders: Orders, owner: FlaskClient
) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).credentials_refused_at = utc_now()
        db.session.commit()
    said = text_in(get(owner, f"{LIST}/{orders.ready}"), "#state")
    assert "Waiting on you" in said
    assert "Check the Merchant Token" in said


def test_item_without_a_sku_links_to_the_fix(orders: Orders, owner: FlaskClient) -> None:
    assert "Poster 2 No SKU None yet. Fix SKU" in text_in(get(owner, f"{LIST}/{orders.no_sku}"))


def test_purged_order_shows_that_the_buyers_data_was_removed(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}/{orders.purged}")
    assert "The buyer's data was removed" in text_in(page, "section[aria-labelledby=address-head]")
    assert "Removed with the buyer's data" in text_in(page, "#timeline")
    assert BUYER not in text_in(page)
    assert "It counts as domestic" in text_in(page)


def test_text_from_outside_is_escaped(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.rejected)).one()
        order.state_reason = "<script>alert(1)</script>"
        order.document = json.dumps(json.loads(order.document)).replace(STREET, "<script>alert(2)</script>")
        attempt = db.session.scalars(select(Attempt).where(Attempt.order_id == order.id)).one()
        attempt.answer = "</pre><script>alert(3)</script>"
        db.session.commit()
    for address in (f"{LIST}/{orders.rejected}", LIST):
        page = get(owner, address)
        assert not [script for script in page.find_all("script") if "alert" in script.get_text()]
    assert "<script>alert(3)</script>" in text_in(get(owner, f"{LIST}/{orders.rejected}"))


def test_long_response_is_cut_and_the_attempt_page_shows_all_of_it(
    app: Flask, orders: Orders, owner: FlaskClient
) -> None:
    with app.app_context():
        query = select(Attempt).join(Attempt.order).where(Order.number == orders.rejected)
        attempt = db.session.scalars(query).one()
        attempt.answer, attempt_id = "x" * 9_000 + "the end", attempt.id
        db.session.commit()
    page = get(owner, f"{LIST}/{orders.rejected}")
    assert "Showing the first 6000 of 9007 characters." in text_in(page, "#timeline")
    assert "the end" not in text_in(page)
    one(page, f"a[href='/m/816/attempts/{attempt_id}']")
    assert "the end" in text_in(get(owner, f"/m/816/attempts/{attempt_id}"))


# Live updates


def test_page_of_a_moving_order_updates_itself(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    for number in (orders.ready, orders.submitting, orders.unconfirmed, orders.shipped):
        address = str(one(get(owner, f"{LIST}/{number}"), "#state [hx-trigger]")["hx-get"])
        unchanged = owner.get(address, headers={"HX-Request": "true"})
        assert (unchanged.status_code, unchanged.get_data()) == (204, b"")
        with app.app_context():
            order = db.session.scalars(select(Order).where(Order.number == number)).one()
            order.state, order.state_changed_at = OrderState.COMPLETED, utc_now()
            order.claim, order.submitted_at, order.completed_at = "", utc_now(), utc_now()
            db.session.commit()
        update = owner.get(address, headers={"HX-Request": "true"})
        piece = BeautifulSoup(update.get_data(as_text=True), "html.parser")
        assert update.status_code == 200
        assert piece.find("html") is None
        assert "Complete" in piece.get_text()
        assert not piece.select("[hx-get][hx-trigger]")
        assert {part["id"] for part in piece.select("[hx-swap-oob]")} == {"timeline", "tracking", "buyer-answer"}
        assert f"Your order {number} left our warehouse" in text_in(piece, "#buyer-answer textarea")


def test_new_attempt_updates_the_page(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    poller = one(get(owner, f"{LIST}/{orders.unconfirmed}"), "#state [hx-trigger]")
    with app.app_context():
        session = db.session()
        session.add(
            Attempt(
                merchant_id=816, order_id=orders.ids[orders.unconfirmed], kind=AttemptKind.STATUS,
                trigger=Trigger.SCHEDULE, started_at=utc_now(), outcome=AttemptOutcome.OPEN,
            )
        )  # fmt: skip
        session.commit()
    update = owner.get(str(poller["hx-get"]), headers={"HX-Request": "true"})
    assert "Status check: No answer yet" in update.get_data(as_text=True)


def test_page_of_an_order_that_is_not_moving_does_not_poll(orders: Orders, owner: FlaskClient) -> None:
    for case in ("given_up", "rejected", "completed", "closed"):
        assert not get(owner, f"{LIST}/{getattr(orders, case)}").select("main [hx-get][hx-trigger]"), case
