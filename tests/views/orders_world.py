"""Orders in every state, for tests of pages that show them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from portal.clients.bigcartel import read_order
from portal.extensions import db
from portal.fulfillment.order_columns import assessed_columns
from portal.fulfillment.rulebook import Rulebook
from portal.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Merchant,
    Order,
    OrderState,
    Product,
    Store,
    Trigger,
)

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

    from tests.views.conftest import World

FIRST_DAY = datetime(2026, 11, 1, 12, tzinfo=UTC)
BUYER = "Ada Lovelace"
STREET = "12 Analytical Way"
PRODUCTS = {
    "1": ("Plain Mug", "A plain mug.\n\nSKU:MUG-01"),
    "2": ("Poster", "A poster without any mark."),
}


@dataclass(frozen=True, slots=True)
class Orders:
    """Order numbers, one attribute per case, and ``ids`` by number. ``other`` belongs to merchant 900."""

    no_sku: str = "FERN-100001"
    pickup: str = "FERN-100002"
    unpaid: str = "FERN-100003"
    no_mapping: str = "FERN-100004"
    ready: str = "FERN-100005"
    given_up: str = "FERN-100006"
    submitting: str = "FERN-100007"
    unconfirmed: str = "FERN-100008"
    rejected: str = "FERN-100009"
    submitted: str = "FERN-100010"
    shipped: str = "FERN-100011"
    completed: str = "FERN-100012"
    closed: str = "FERN-100013"
    cancelled: str = "FERN-100014"
    purged: str = "FERN-100015"
    other: str = "FERN-900001"
    ids: dict[str, int] = field(default_factory=dict)


def put_orders(app: Flask, world: World) -> Orders:
    """Add one order per case. The merchant has only a domestic service, and both stores are live."""
    orders = Orders()
    with app.app_context():
        session = db.session()
        for merchant_id, store_id in ((816, world.store_id), (900, world.other_store_id)):
            session.get_one(Merchant, merchant_id).domestic_service = "USPS_MEDIA"
            session.get_one(Store, store_id).live = True
            for product_id, (name, description) in PRODUCTS.items():
                session.add(
                    Product(
                        store_id=store_id, product_id=product_id, name=name, description=description,
                        options=[], fetched_at=FIRST_DAY,
                    )
                )  # fmt: skip
        session.flush()
        for day, (number, state, as_sent, columns, attempts) in enumerate(_cases(orders)):
            order = _put(session, 816, world.store_id, number, state, as_sent, FIRST_DAY + timedelta(days=day), columns)
            _put_attempts(session, order, attempts)
        other = document(orders.other)
        _put(session, 900, world.other_store_id, orders.other, OrderState.REJECTED, other, FIRST_DAY, _REJECTED)
        session.commit()
        orders.ids.update({order.number: order.id for order in session.query(Order)})
    return orders


def put_many(app: Flask, world: World, count: int, *, state: OrderState = OrderState.COMPLETED) -> None:
    """Add ``count`` more orders for merchant 816 in bulk, each with two attempts."""
    text = json.dumps(document("MANY-000000"))
    with app.app_context():
        session = db.session()
        orders = [
            {
                "merchant_id": 816, "store_id": world.store_id, "number": f"MANY-{n:06}", "state": state,
                "state_changed_at": FIRST_DAY, "document": text, "placed_at": FIRST_DAY, "first_seen_at": FIRST_DAY,
                "lines": [], "shipping_code": "DOMESTIC_DEFAULT", "service": "USPS_MEDIA",
                "submitted_at": FIRST_DAY, "completed_at": FIRST_DAY,
            }
            for n in range(count)
        ]  # fmt: skip
        session.execute(insert(Order), orders)
        ids = session.query(Order.id).filter(Order.number.startswith("MANY-")).all()
        kinds = (AttemptKind.SUBMIT, AttemptKind.STATUS)
        attempts = [
            {
                "merchant_id": 816, "order_id": order_id, "kind": kind, "trigger": Trigger.SCHEDULE,
                "started_at": FIRST_DAY, "finished_at": FIRST_DAY, "outcome": AttemptOutcome.DONE,
            }
            for (order_id,) in ids
            for kind in kinds
        ]  # fmt: skip
        session.execute(insert(Attempt), attempts)
        session.commit()


def document(
    number: str, *, product: str = "1", payment: str = "completed", country: str = "US", label: str = "Shipping"
) -> dict[str, Any]:
    """Return an order as Big Cartel sends it, with one item."""
    return {
        "data": {
            "id": number,
            "type": "orders",
            "attributes": {
                "customer_first_name": BUYER.partition(" ")[0],
                "customer_last_name": BUYER.partition(" ")[2],
                "customer_email": "ada@buyer.example",
                "customer_phone_number": "555 0100",
                "customer_note": "",
                "shipping_address_1": STREET,
                "shipping_address_2": "",
                "shipping_city": "Provo",
                "shipping_state": "UT",
                "shipping_zip": "84601",
                "shipping_country_id": country,
                "shipping_status": "unshipped",
                "payment_status": payment,
                "created_at": FIRST_DAY.isoformat(),
                "updated_at": FIRST_DAY.isoformat(),
                "completed_at": FIRST_DAY.isoformat(),
            },
            "relationships": {"items": {"data": [{"type": "order_line_items", "id": "1"}]}},
        },
        "included": [
            {
                "id": "1",
                "type": "order_line_items",
                "attributes": {"product_name": PRODUCTS[product][0], "product_option_name": "", "quantity": 2},
                "relationships": {"product": {"data": {"type": "product", "id": product}}},
            },
            {"id": "9", "type": "order_adjustments/base", "attributes": {"label": label}},
        ],
    }


_REJECTED = {"state_reason": "Invalid SKU: MUG-01"}
_ACCEPTED = {"submitted_at": FIRST_DAY, "fcp_order_id": "5001", "fcp_status": "Picking"}
_SHIPPED = {
    **_ACCEPTED,
    "fcp_status": "Shipped",
    "shipped_on": "2026-11-20",
    "carrier": "USPS",
    "tracking_numbers": ["9400100000000000000001", "9400100000000000000002"],
}
_SUBMIT, _STATUS, _MARK = AttemptKind.SUBMIT, AttemptKind.STATUS, AttemptKind.MARK_SHIPPED
_Attempts = tuple[tuple[AttemptKind, AttemptOutcome], ...]
_ALL_CALLS: _Attempts = ((_SUBMIT, AttemptOutcome.DONE), (_STATUS, AttemptOutcome.DONE), (_MARK, AttemptOutcome.DONE))
_Case = tuple[str, OrderState, dict[str, Any], dict[str, Any], _Attempts]


def _cases(orders: Orders) -> list[_Case]:
    soon = {"next_attempt_at": datetime.now(UTC) + timedelta(minutes=5)}
    held: list[tuple[str, dict[str, str]]] = [
        (orders.no_sku, {"product": "2"}),
        (orders.pickup, {"label": "Local pickup"}),
        (orders.unpaid, {"payment": "unpaid"}),
        (orders.no_mapping, {"country": "DE"}),
    ]
    state, out = OrderState, AttemptOutcome
    later: list[tuple[str, OrderState, dict[str, Any], _Attempts]] = [
        (orders.ready, state.READY, soon, ()),
        (orders.given_up, state.READY, {"failures": 9}, ((_SUBMIT, out.NOT_SENT),)),
        (orders.submitting, state.SUBMITTING, {"claim": "worker"}, ((_SUBMIT, out.OPEN),)),
        (orders.unconfirmed, state.UNCONFIRMED, soon, ((_SUBMIT, out.UNKNOWN),)),
        (orders.rejected, state.REJECTED, _REJECTED, ((_SUBMIT, out.REFUSED),)),
        (orders.submitted, state.SUBMITTED, _ACCEPTED, ((_SUBMIT, out.DONE),)),
        (orders.shipped, state.SHIPPED, {**_SHIPPED, **soon}, _ALL_CALLS[:2]),
        (orders.completed, state.COMPLETED, {**_SHIPPED, "completed_at": FIRST_DAY}, _ALL_CALLS),
        (orders.closed, state.CLOSED, {"state_reason": "Closed by owner@fern.example: the buyer gave up"}, ()),
        (orders.cancelled, state.CLOSED, {**_ACCEPTED, "state_reason": "Canceled at the warehouse."}, _ALL_CALLS[:2]),
        (
            orders.purged,
            state.COMPLETED,
            {**_SHIPPED, "completed_at": FIRST_DAY, "document": "{}", "purged_at": FIRST_DAY},
            _ALL_CALLS[:1],
        ),
    ]
    return [
        *((number, state.HELD, document(number, **given), {}, ()) for number, given in held),
        *((number, at, document(number), columns, attempts) for number, at, columns, attempts in later),
    ]


def _put(
    session: Session,
    merchant_id: int,
    store_id: int,
    number: str,
    state: OrderState,
    as_sent: dict[str, Any],
    placed_at: datetime,
    columns: dict[str, Any],
) -> Order:
    typed, book = read_order(as_sent), Rulebook(session)
    book.load([(store_id, typed)])
    given = {
        "merchant_id": merchant_id, "store_id": store_id, "number": number, "state": state,
        "state_changed_at": placed_at, "document": json.dumps(as_sent), "placed_at": placed_at,
        "first_seen_at": placed_at, **assessed_columns(book.assess(store_id, typed), placed_at),
    }  # fmt: skip
    order = Order(**{**given, **columns})
    session.add(order)
    session.flush()
    return order


def _put_attempts(session: Session, order: Order, attempts: _Attempts) -> None:
    for hour, (kind, outcome) in enumerate(attempts, start=1):
        at = order.first_seen_at + timedelta(hours=hour)
        is_open, is_rejected = outcome is AttemptOutcome.OPEN, outcome is AttemptOutcome.REFUSED
        purged = order.purged_at is not None
        session.add(
            Attempt(
                merchant_id=order.merchant_id, order_id=order.id, kind=kind, trigger=Trigger.SCHEDULE, started_at=at,
                finished_at=None if is_open else at + timedelta(milliseconds=340), outcome=outcome,
                http_status=None if is_open else 200, words=order.state_reason if is_rejected else "",
                explanation="" if is_open else f"What attempt {hour} of {order.number} means.",
                request="" if purged else f"<Order><OrderNumber>{order.number}</OrderNumber></Order>",
                answer="" if purged or is_open else "<Status>as it is</Status>",
            )
        )  # fmt: skip
        session.flush()
