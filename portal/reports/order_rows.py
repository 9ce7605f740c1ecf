"""The rows of the order list: who ordered what, where it goes, what it waits for, and for how long it has waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clients.bigcartel import read_stored
from portal.clients.errors import ServiceError
from portal.fulfillment.order_edits import read_edits
from portal.fulfillment.rulebook import stored_hold
from portal.models import Order, OrderState
from portal.models.states import AT_THE_WAREHOUSE
from portal.reports.links import tracking
from portal.reports.order_activity import waiting_on
from portal.wording.counts import short_length
from portal.wording.states import sentence_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartelOrder
    from portal.models import Merchant

RECENT = 200
"""The merchant's newest orders, of which those that were sent say what the usual time is."""
FEWEST = 5
"""Orders that must have been sent for there to be a usual time."""
FAR_ABOVE = 3
"""An order waits unusually long above this many times the usual time."""
AT_LEAST = timedelta(minutes=30)
"""No order waits unusually long before this time: syncs and packing take some minutes anyway."""
ITEMS_SHOWN = 2
UNSENT = frozenset(
    {OrderState.HELD, OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED, OrderState.REJECTED}
)
REMOVED = "Removed"
"""Stands for the buyer's data after its removal."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A tracking number; ``page`` is the carrier's page for it, "" if we don't know one."""

    number: str
    page: str
    carrier: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who ordered, and where it goes: "Provo, UT, US". Both are REMOVED once the buyer's data is."""

    name: str
    destination: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order of the list; ``age`` is in words, and ``usual`` too, which is "" unless the order still waits."""

    order: Order
    buyer: Buyer
    items: Sequence[str]
    more_items: int
    details: str
    waiting_on: str
    age: str
    usual: str
    is_late: bool
    parcels: Sequence[Parcel]


def rows_of(session: Session, orders: Sequence[Order], merchant: Merchant, now: datetime) -> list[OrderRow]:
    """Return the rows of the orders of one page. At most one query is made, whatever their number."""
    usual = usual_wait(session, merchant.id) if any(order.state in UNSENT for order in orders) else None
    return [_row(order, merchant, usual, now) for order in orders]


def usual_wait(session: Session, merchant_id: int) -> timedelta | None:
    """Return the median time from placed to sent of the merchant's recent orders; None if too few were sent."""
    newest = select(Order.placed_at, Order.submitted_at).where(Order.merchant_id == merchant_id)
    found = session.execute(newest.order_by(Order.id.desc()).limit(RECENT))
    both = ((placed, sent) for placed, sent in found if placed is not None and sent is not None and sent >= placed)
    waits = [(sent - placed).total_seconds() for placed, sent in both]
    return timedelta(seconds=median(waits)) if len(waits) >= FEWEST else None


def buyer_of(order: Order) -> Buyer:
    """Return the buyer as Big Cartel last sent the order, or as edited here. What is missing is ""."""
    if order.purged_at is not None:
        return Buyer(REMOVED, REMOVED)
    placed = _as_placed(order)
    if placed is None:
        return Buyer("", "")
    edited = read_edits(order.edits).address
    address = edited.address if edited else placed.address
    place = address.city, address.state, address.country_code or address.country_name
    return Buyer(_joined(" ", address.first_name, address.last_name), _joined(", ", *place))


def items_of(order: Order) -> list[str]:
    """Return the items that are sent, each with its number and SKU, or its name while it has no SKU."""
    lines = (line for line in order.lines if not line["left_out"])
    return [f"{line['quantity']} \u00d7 {line['sku'] or line['name']}" for line in lines]


def details_of(order: Order, merchant: Merchant) -> str:
    """Return the most important detail about an order besides its state, in one line."""
    match order.state:
        case OrderState.HELD if order.holds:
            hold = stored_hold(order.holds[0])
            others = len(order.holds) - 1
            return f"{hold.headline} Plus {others} more." if others else hold.headline
        case OrderState.REJECTED | OrderState.CLOSED:
            return order.state_reason
        case OrderState.SHIPPED | OrderState.COMPLETED:
            return " ".join([order.carrier, *order.tracking_numbers]).strip()
        case OrderState.SUBMITTED:
            return order.fcp_status
        case _:
            return sentence_of(order, merchant)


def age_of(order: Order, now: datetime) -> timedelta | None:
    """Return how long an order has waited, or waited until it was sent; None if nobody waits, or it is unknown."""
    if order.placed_at is None:
        return None
    if order.state in AT_THE_WAREHOUSE:
        return order.submitted_at - order.placed_at if order.submitted_at else None
    return max(now - order.placed_at, timedelta(0)) if order.state in UNSENT else None


def is_late(age: timedelta, usual: timedelta) -> bool:
    return age >= AT_LEAST and age > FAR_ABOVE * usual


def _row(order: Order, merchant: Merchant, usual: timedelta | None, now: datetime) -> OrderRow:
    items, age = items_of(order), age_of(order, now)
    waits = order.state in UNSENT
    compared = usual if waits and age is not None else None
    # A purged order keeps its carrier and tracking numbers, which the details would only repeat.
    is_shipped = order.state in {OrderState.SHIPPED, OrderState.COMPLETED}
    return OrderRow(
        order=order,
        buyer=buyer_of(order),
        items=items[:ITEMS_SHOWN],
        more_items=max(len(items) - ITEMS_SHOWN, 0),
        details="" if is_shipped and not order.needs_attention else details_of(order, merchant),
        waiting_on=waiting_on(order, merchant),
        age="" if age is None else short_length(age) if waits else f"Sent in {short_length(age)}",
        usual="" if compared is None else short_length(compared),
        is_late=compared is not None and age is not None and is_late(age, compared),
        parcels=[_parcel(order.carrier, number) for number in order.tracking_numbers],
    )


def _parcel(carrier: str, number: str) -> Parcel:
    link = tracking(carrier, number)
    return Parcel(number, link[1], link[0]) if link else Parcel(number, "", carrier)


def _as_placed(order: Order) -> BigCartelOrder | None:
    """Return the order, or None if what is stored can't be read: the list must still show the others."""
    try:
        return read_stored(order.document)
    except (ServiceError, ValueError):
        return None


def _joined(separator: str, *parts: str) -> str:
    return separator.join(filter(None, parts))
