"""What to answer a buyer who asks where their order is: only what is known, and nothing that we can't keep.

The text is copied into a mail or a chat, so it has no markup, no words of ours ("on hold", "FCP"), and no promise.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from portal.clients.fcp_statuses import StatusKind, is_back_order, kind_of_status
from portal.fulfillment.rulebook import stored_hold
from portal.models import OrderState
from portal.reports.carriers import carriers_in
from portal.reports.links import tracking
from portal.rules.hold_reasons import HeldBy, HoldReason

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from portal.models import Order

_NEEDS_AN_ADDRESS = frozenset({HoldReason.ADDRESS_INCOMPLETE, HoldReason.ADDRESS_DOUBTFUL})
_NEEDS_A_PERSON = frozenset(
    {
        HoldReason.CANCELED_OR_REFUNDED,
        HoldReason.NOT_LISTED,
        HoldReason.LOCAL_PICKUP,
        HoldReason.RATE_NEVER_SENT,
        HoldReason.PARTLY_SHIPPED,
        HoldReason.NOTHING_TO_SHIP,
        HoldReason.BEFORE_START,
    }
)
"""Whether the order is shipped at all isn't ours to say."""


def answer_to_buyer(order: Order, *, first_name: str, shop: str, today: date) -> str:
    """Return the answer, or "" while nobody can know what is true: a person has to look first.

    ``first_name`` may be empty, as it is once the buyer's data was purged. ``today`` decides whether a date has a year.
    """
    facts = _facts(order, today)
    return f"Hi{f' {first_name}' if first_name else ''},\n\n{facts}\n\n{shop}" if facts else ""


def _facts(order: Order, today: date) -> str:
    name = f"your order {order.number}"
    match order.state:
        case OrderState.SHIPPED | OrderState.COMPLETED:
            return _left(order, today)
        case OrderState.SUBMITTED:
            return _at_the_warehouse(order)
        case OrderState.READY | OrderState.SUBMITTING | OrderState.UNCONFIRMED:
            return f"We have {name} and are passing it on to our warehouse. It hasn't left yet."
        case OrderState.REJECTED:
            return f"We have {name}. It hasn't left yet, because we're clearing up a detail with our warehouse."
        case OrderState.HELD:
            return _held(name, {stored_hold(hold).reason for hold in order.holds})
    return ""


def _at_the_warehouse(order: Order) -> str:
    if order.is_lost or kind_of_status(order.fcp_status) is not StatusKind.OPEN:
        return ""
    stock = ", where an item is out of stock" if is_back_order(order.fcp_status) else ""
    return f"Your order {order.number} is at our warehouse{stock}. It hasn't left yet."


def _held(name: str, reasons: AbstractSet[HoldReason]) -> str:
    if not reasons or reasons & _NEEDS_A_PERSON:
        return ""
    if reasons & _NEEDS_AN_ADDRESS:
        return (
            f"We have {name}, but the shipping address seems to be incomplete. Could you please send us the full "
            "address: name, street and number, city, state or region, and ZIP or postal code?"
        )
    if all(reason.row.held_by is HeldBy.BUYER for reason in reasons):
        return f"We have {name}, but not its payment yet. We'll ship it once the payment is complete."
    return f"We have {name}. It hasn't left yet, because we're checking a detail first."


def _left(order: Order, today: date) -> str:
    carriers = carriers_in(order.carrier)
    by = f" with {carriers[0].name if len(carriers) == 1 else order.carrier}" if order.carrier else ""
    left = f"Your order {order.number} left our warehouse{_on(order.shipped_on, today)}{by}."
    parcels = [_parcel(order.carrier, number) for number in order.tracking_numbers]
    match parcels:
        case []:
            return left
        case [only]:
            return f"{left}\nTracking number: {only}"
        case _:
            return "\n".join((left, f"It comes in {len(parcels)} parcels. Their tracking numbers:", *parcels))


def _parcel(carrier: str, number: str) -> str:
    page = tracking(carrier, number)
    return f"{number}\n{page[1]}" if page else number


def _on(shipped_on: str, today: date) -> str:
    if not shipped_on:
        return ""
    day = date.fromisoformat(shipped_on)
    year = "" if day.year == today.year else f", {day.year}"
    return f" on {day:%B} {day.day}{year}"
