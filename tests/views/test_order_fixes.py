"""Fix one order on its page: SKU, item, address, service and hold, for merchants and support."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.clients.bigcartel import read_order
from portal.extensions import db
from portal.fulfillment.order_columns import assessed_columns
from portal.fulfillment.rulebook import Rulebook
from portal.models import Order, OrderState, Product, SkuOverride
from portal.wording import order_fixes as wording
from tests.views.conftest import World, get, post, read
from tests.views.order_pages import LIST, entries, state_of
from tests.views.orders_world import FIRST_DAY, document
from tests.views.page import one, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from portal import queue
    from tests.views.orders_world import Orders

    ClientOf = Callable[[str | None], FlaskClient]

PAGES = (
    "sku?item=1",
    "item?item=1",
    "item/big-cartel?item=1",
    "address",
    "address/big-cartel",
    "service",
    "hold",
    "hold/release",
)


def _order(app: Flask, number: str) -> Order:
    with app.app_context():
        return db.session.scalars(select(Order).where(Order.number == number)).one()


def _link(page: Any, words: str) -> str:
    return str(one(page, f'a.btn:-soup-contains("{words}")')["href"])


@pytest.mark.parametrize("case", ["no_sku", "unpaid", "ready", "given_up", "rejected"])
def test_every_fix_of_an_unsent_order_has_a_page(orders: Orders, owner: FlaskClient, case: str) -> None:
    number = getattr(orders, case)
    for part in PAGES:
        page = get(owner, f"{LIST}/{number}/{part}")
        assert page.select("main form button[type=submit]")


@pytest.mark.parametrize("case", ["submitting", "unconfirmed", "submitted", "shipped", "completed", "closed", "purged"])
def test_order_that_was_sent_or_closed_has_no_fixes(orders: Orders, owner: FlaskClient, case: str) -> None:
    number = getattr(orders, case)
    page = get(owner, f"{LIST}/{number}")
    assert not page.select("a[data-dialog]:not([href$=retry], [href$=close])")
    for part in PAGES:
        response = owner.get(f"{LIST}/{number}/{part}")
        assert response.status_code == 303
    assert "can't be changed" in text(get(owner, f"{LIST}/{number}"))


def test_fixes_belong_to_the_merchant(orders: Orders, owner: FlaskClient) -> None:
    for part in PAGES:
        assert owner.get(f"{LIST}/{orders.other}/{part}").status_code == 404
        assert owner.get(f"/m/900/orders/{orders.other}/{part}").status_code == 404
    assert owner.get(f"{LIST}/{orders.no_sku}/sku?item=7").status_code == 404


def test_sku_for_all_orders_releases_the_order(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}/{orders.no_sku}")
    form = get(owner, _link(one(page, "#state"), "Set SKU"))
    assert text(one(form, ".said")) == "A poster without any mark."
    assert one(form, "input[name=scope][checked]")["value"] == "all"

    page = read(post(owner, f"{LIST}/{orders.no_sku}/sku?item=1", sku="POSTER-1", scope="all"))

    assert state_of(app, orders.no_sku) is OrderState.READY
    with app.app_context():
        assert db.session.scalars(select(SkuOverride.sku)).all() == ["POSTER-1"]
    assert [(one.action, one.reason) for one in entries(app, orders.no_sku)] == [
        (wording.SKU_SET_FOR_PRODUCT, "Poster: POSTER-1")
    ]
    assert f"Saved. We'll send order {orders.no_sku} now." in text(page)
    assert "SKU set for all orders by owner@fern.example" in text(one(page, "#timeline"))


def test_sku_for_one_order_leaves_the_product_alone(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    post(owner, f"{LIST}/{orders.no_sku}/sku?item=1", sku="POSTER-1", scope="this")
    with app.app_context():
        assert not db.session.scalars(select(SkuOverride)).all()
    page = get(owner, f"{LIST}/{orders.no_sku}")
    assert "Set for this order only" in text(page)

    post(owner, _link(page, "Use what Big Cartel shows"))
    assert state_of(app, orders.no_sku) is OrderState.HELD
    assert _order(app, orders.no_sku).edits is None


def test_sku_that_cannot_be_sent_is_an_error_beside_its_field(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    for sku, error in (("", "Enter the SKU."), ("SKU:POSTER", "Enter the SKU alone")):
        page = read(post(owner, f"{LIST}/{orders.no_sku}/sku?item=1", sku=sku, scope="this"), 422)
        assert error in text(one(page, ".invalid-feedback"))
        assert error in text(one(page, ".alert"))
    assert state_of(app, orders.no_sku) is OrderState.HELD


def test_product_that_is_gone_is_fixed_for_this_order_first(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    with app.app_context():
        for product in db.session.scalars(select(Product).where(Product.product_id == "2")):
            product.gone = True
        db.session.commit()
    form = get(owner, f"{LIST}/{orders.no_sku}/sku?item=1")
    assert one(form, "input[name=scope][checked]")["value"] == "this"
    assert "This product is no longer in Big Cartel." in text(form)


def test_what_the_warehouse_does_not_know_is_said(orders: Orders, owner: FlaskClient) -> None:
    page = get(owner, f"{LIST}/{orders.rejected}")
    assert "The warehouse doesn't know MUG-01." in text(page)
    form = get(owner, _link(one(page, "#state"), "Set SKU"))
    assert "The warehouse doesn't know MUG-01." in text(form)
    assert [text(button) for button in form.select("main form button[type=submit]")] == [
        "Save and send order",
        "Save SKU",
    ]


def _reject(app: Flask, world: World, numbers: list[str], *, words: str = "Invalid SKU: MUG-01") -> None:

    with app.app_context():
        book = Rulebook(db.session())
        for number in numbers:
            placed = read_order(document(number))
            book.load([(world.store_id, placed)])
            assessment = book.assess(world.store_id, placed)
            db.session.add(
                Order(
                    merchant_id=816, store_id=world.store_id, number=number, state=OrderState.REJECTED,
                    state_changed_at=FIRST_DAY, state_reason=words, document=json.dumps(document(number)),
                    placed_at=FIRST_DAY, first_seen_at=FIRST_DAY, **assessed_columns(assessment, FIRST_DAY),
                )
            )  # fmt: skip
        db.session.commit()


@pytest.mark.usefixtures("big_cartel_answers")
def test_all_orders_with_the_same_cause_are_saved_and_sent(
    app: Flask, world: World, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    _reject(app, world, ["SAME-1", "SAME-2"], words="invalid sku MUG-01")
    _reject(app, world, ["OTHER-1"], words="Invalid address")
    form = get(owner, f"{LIST}/{orders.rejected}/sku?item=1")
    assert "2 more orders have the same problem: SAME-2, SAME-1." in text(form)
    assert text(one(form, "button[name=send]")) == "Save and send 3 orders"

    page = read(post(owner, f"{LIST}/{orders.rejected}/sku?item=1", sku="MUG-1", scope="all", send="1"))

    assert "Saved. 3 orders are being sent." in text(page)
    assert [state_of(app, number) for number in (orders.rejected, "SAME-1", "SAME-2")] == [OrderState.READY] * 3
    assert state_of(app, "OTHER-1") is OrderState.REJECTED
    assert {line["sku"] for number in ("SAME-1", orders.rejected) for line in _order(app, number).lines} == {"MUG-1"}
    assert woken


@pytest.mark.usefixtures("big_cartel_answers")
def test_only_this_order_is_sent_if_the_sku_is_for_it_alone(
    app: Flask, world: World, orders: Orders, owner: FlaskClient
) -> None:
    _reject(app, world, ["SAME-1"])
    post(owner, f"{LIST}/{orders.rejected}/sku?item=1", sku="MUG-1", scope="this", send="1")
    assert state_of(app, orders.rejected) is OrderState.READY
    assert state_of(app, "SAME-1") is OrderState.REJECTED


@pytest.mark.usefixtures("big_cartel_answers")
def test_more_than_one_submission_can_send_are_named(
    app: Flask, world: World, orders: Orders, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.views.fix_pages.MOST_SENT", 2)
    _reject(app, world, ["SAME-1", "SAME-2"])
    page = read(post(owner, f"{LIST}/{orders.rejected}/sku?item=1", sku="MUG-1", scope="all", send="1"))
    assert "Too many for one go, so these stay as they are: SAME-1." in text(page)
    assert state_of(app, "SAME-1") is OrderState.REJECTED
    assert state_of(app, "SAME-2") is OrderState.READY


def test_rejected_order_that_is_only_saved_stays_rejected(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = read(post(owner, f"{LIST}/{orders.rejected}/sku?item=1", sku="MUG-1", scope="this"))
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    assert "is still rejected. Retry it to send it." in text(page)


def test_last_item_that_is_left_out_stops_the_order(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    form = get(owner, f"{LIST}/{orders.ready}/item?item=1")
    assert "leaves nothing for the warehouse to ship" in text(form)
    post(owner, f"{LIST}/{orders.ready}/item?item=1")
    assert state_of(app, orders.ready) is OrderState.HELD
    page = get(owner, f"{LIST}/{orders.ready}")
    assert "Not shipped by the warehouse, in this order only." in text(page)

    post(owner, _link(page, "Ship from the warehouse"))
    assert state_of(app, orders.ready) is OrderState.READY
    assert _order(app, orders.ready).edits is None


def _fields(page: Any) -> dict[str, str]:
    fields = {str(field["name"]): str(field.get("value", "")) for field in page.select("form input[name]")}
    fields["country_code"] = str(one(page, "select[name=country_code] option[selected]")["value"])
    return {name: value for name, value in fields.items() if name != "csrf_token"}


def test_address_is_corrected_and_taken_back(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    form = get(owner, f"{LIST}/{orders.ready}/address")
    assert "Big Cartel still shows the old address" in text(form)
    fields = _fields(form)
    assert (fields["address_1"], fields["country_code"]) == ("12 Analytical Way", "US")
    said = read(post(owner, f"{LIST}/{orders.ready}/address", **fields | {"address_1": "77 Other St"}))
    assert str(one(said, ".toast-message form")["action"]).endswith("/address/big-cartel")

    page = get(owner, f"{LIST}/{orders.ready}")
    assert "Corrected here. Big Cartel still shows the old address." in text(page)
    assert [text(one)[:30] for one in page.select("address")] == [
        "Ada Lovelace 77 Other St Provo"[:30], "Ada Lovelace 12 Analytical Way Provo"[:30],
    ]  # fmt: skip
    assert [entry.action for entry in entries(app, orders.ready)] == [wording.ADDRESS_CORRECTED]
    assert "77 Other" not in " ".join(entry.reason for entry in entries(app, orders.ready))

    # Undoing the second would take the first one, the buyer's data, through the browser.
    said = read(post(owner, f"{LIST}/{orders.ready}/address", **fields | {"address_1": "78 Other St"}))
    assert not said.select(".toast-message form")

    post(owner, _link(page, "Use Big Cartel's address again"))
    assert _order(app, orders.ready).edits is None


def test_incomplete_address_is_not_saved(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    fields = _fields(get(owner, f"{LIST}/{orders.ready}/address"))
    page = read(post(owner, f"{LIST}/{orders.ready}/address", **fields | {"city": "", "zip": " "}), 422)
    assert [text(one) for one in page.select(".invalid-feedback")] == ["Enter the city.", "Enter the ZIP code."]
    assert _order(app, orders.ready).edits is None


def test_address_that_changed_while_the_form_was_open_is_shown_first(
    app: Flask, orders: Orders, owner: FlaskClient
) -> None:
    fields = _fields(get(owner, f"{LIST}/{orders.ready}/address"))
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.ready)).one()
        order.document = order.document.replace("12 Analytical Way", "3 Far St")
        db.session.commit()
    page = read(post(owner, f"{LIST}/{orders.ready}/address", **fields), 422)
    assert "The address has just changed in Big Cartel." in text(page)
    assert _order(app, orders.ready).edits is None


def test_service_is_for_this_order_only(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    form = get(owner, f"{LIST}/{orders.ready}/service")
    codes = [str(option["value"]) for option in form.select("option")]
    assert codes[0] == ""
    chosen = next(code for code in codes if code.startswith("UPS"))
    post(owner, f"{LIST}/{orders.ready}/service", service=chosen)
    assert _order(app, orders.ready).service == chosen
    assert "for this order only" in text(get(owner, f"{LIST}/{orders.ready}"))

    post(owner, f"{LIST}/{orders.ready}/service", service="")
    assert (_order(app, orders.ready).service, _order(app, orders.ready).edits) == ("USPS_MEDIA", None)


@pytest.mark.usefixtures("big_cartel_answers")
def test_service_is_changed_for_all_orders_that_were_rejected_because_of_theirs(
    app: Flask, world: World, orders: Orders, owner: FlaskClient
) -> None:
    rejected = ["SVC-1", "SVC-2", "SVC-3"]
    _reject(app, world, rejected, words="Invalid ShippingMethod")
    _reject(app, world, ["SKU-1"])
    page = get(owner, f"{LIST}/SVC-1/service")
    assert "2 more orders have the same problem: SVC-3, SVC-2." in text(page)
    assert "All 3 orders that were rejected because of their service" in text(page)
    one(page, "button", "Save and send 3 orders")

    chosen = next(code for option in page.select("option") if (code := str(option["value"])).startswith("UPS"))
    told = text(read(post(owner, f"{LIST}/SVC-1/service", service=chosen, scope="all", send="1")))
    assert "3 orders" in told
    assert [(_order(app, number).service, state_of(app, number)) for number in rejected] == [
        (chosen, OrderState.READY)
    ] * 3
    assert (_order(app, "SKU-1").service, state_of(app, "SKU-1")) == ("USPS_MEDIA", OrderState.REJECTED)


def test_service_of_one_rejected_order_alone(app: Flask, world: World, orders: Orders, owner: FlaskClient) -> None:
    _reject(app, world, ["SVC-1", "SVC-2"], words="Invalid ShippingMethod")
    codes = [str(option["value"]) for option in get(owner, f"{LIST}/SVC-1/service").select("option")]
    chosen = next(code for code in codes if code.startswith("UPS"))
    post(owner, f"{LIST}/SVC-1/service", service=chosen, scope="this")
    assert _order(app, "SVC-1").service == chosen
    assert _order(app, "SVC-2").service == "USPS_MEDIA"


def test_order_is_held_and_released_by_hand(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    post(owner, f"{LIST}/{orders.ready}/hold", note="Ask Ada about\nthe color")
    page = get(owner, f"{LIST}/{orders.ready}")
    assert "Put on hold by hand: owner@fern.example." in text(one(page, "#state"))
    assert "Note: “Ask Ada about the color”" in text(one(page, "#state"))
    assert not page.select("#state a:-soup-contains('Hold order')")

    post(owner, _link(page, "Release hold"))
    assert state_of(app, orders.ready) is OrderState.READY
    assert [entry.action for entry in entries(app, orders.ready)] == [wording.PUT_ON_HOLD, wording.HOLD_ENDED]


def test_support_says_why(app: Flask, world: World, orders: Orders, client_of: ClientOf) -> None:
    support = client_of(world.support)
    assert post(support, f"{LIST}/{orders.ready}/hold", note="").status_code == 422
    assert state_of(app, orders.ready) is OrderState.READY
    post(support, f"{LIST}/{orders.no_sku}/sku?item=1", sku="POSTER-1", scope="this", reason="Asked by phone")
    [entry] = entries(app, orders.no_sku)
    assert (entry.actor, entry.reason) == (world.support, "Poster: POSTER-1. Asked by phone")
