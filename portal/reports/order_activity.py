"""One order as a case: what happened to it in the order of time, whose move it is, and why this service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.fulfillment.rulebook import stored_hold
from portal.models import OrderState
from portal.models.audit import CLOSED, RELEASED, RETRIED
from portal.models.states import FINAL
from portal.reports.shipping_choice import service_name
from portal.rules.hold_reasons import HeldBy
from portal.rules.shipping import ShippingCode
from portal.wording.attempts import KIND_LABELS, OUTCOME_LABELS
from portal.wording.states import is_stopped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from portal.clients.bigcartel import BigCartelOrder
    from portal.models import Attempt, AuditEntry, Merchant, Order

LIVE = frozenset(OrderState) - FINAL - {OrderState.REJECTED}
"""States that pass by themselves; the page follows them."""

_DECISIONS = {RETRIED: "Retried", RELEASED: "Released", CLOSED: "Closed"}
_WAITING_ON = {
    OrderState.HELD: "you",
    OrderState.REJECTED: "you",
    OrderState.SUBMITTED: "the warehouse",
    OrderState.COMPLETED: "",
    OrderState.CLOSED: "",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the timeline. ``words`` are the other side's own; ``attempt`` is there when it was one."""

    at: datetime
    what: str
    told: str = ""
    words: str = ""
    attempt: Attempt | None = None


def is_live(order: Order) -> bool:
    """True while the order moves on without anybody's doing."""
    return order.state in LIVE and not order.is_given_up


def waiting_on(order: Order, merchant: Merchant) -> str:
    """Return who has to act next, as the order's page says it to the merchant; empty when the order is final."""
    if order.needs_attention or (order.state is OrderState.READY and is_stopped(merchant)):
        return "you"
    if (
        order.state is OrderState.HELD
        and order.holds
        and all(stored_hold(hold).reason.row.held_by is HeldBy.BUYER for hold in order.holds)
    ):
        return "the buyer"
    return _WAITING_ON.get(order.state, "us")


def as_placed(order: Order) -> BigCartelOrder | None:
    """The order as Big Cartel last sent it; None once the buyer's data have been purged."""
    return None if order.purged_at is not None else read_stored(order.document)


def why_this_service(order: Order, country: str) -> str:
    """``country`` is the address's code, "" when it is not known any more."""
    if not order.shipping_code:
        return "The country that it goes to is not known, so no service can be chosen."
    reach = "domestic" if order.shipping_code == ShippingCode.DOMESTIC_DEFAULT else "international"
    where = f"It goes to {country}, which counts as {reach}" if country else f"It counts as {reach}"
    code = f"{where}: {order.shipping_code}."
    if not order.service:
        return f"{code} No service is chosen for that."
    return f"{code} That stands for {service_name(order.service)} ({order.service}), as chosen under Shipping."


def timeline(order: Order, attempts: Iterable[Attempt], entries: Iterable[AuditEntry]) -> list[Moment]:
    """Newest first: what was tried, what people decided, and the order's own dates."""
    moments = [] if order.placed_at is None else [Moment(order.placed_at, "Placed by the buyer")]
    moments.append(Moment(order.first_seen_at, "Read from Big Cartel for the first time"))
    if order.purged_at is not None:
        moments.append(Moment(order.purged_at, "The buyer's data were removed", "So the rules on keeping data ask."))
    for entry in entries:
        what = _DECISIONS.get(entry.action, entry.action[:1].upper() + entry.action[1:])
        moments.append(Moment(entry.at, f"{what} by {entry.actor}", entry.reason))
    for attempt in sorted(attempts, key=lambda attempt: attempt.id):
        what = f"{KIND_LABELS[attempt.kind]}: {OUTCOME_LABELS[attempt.outcome]}"
        moments.append(Moment(attempt.started_at, what, attempt.explanation, attempt.words, attempt))
    # Of those at the same time, the one that was put in last came last.
    return sorted(moments, key=lambda moment: moment.at)[::-1]
