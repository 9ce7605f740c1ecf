"""The page of one order: its activity, who acts next, and why it ships with its carrier service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.fulfillment.rulebook import stored_hold
from portal.models import HostName, OrderState
from portal.models.audit import CLOSED, RELEASED, RETRIED
from portal.models.states import FINAL
from portal.reports.order_moves import moves_of
from portal.reports.shipping_choice import service_name
from portal.rules.hold_reasons import HeldBy
from portal.rules.patience import SENT_AS_READ
from portal.rules.shipping import ShippingCode
from portal.wording.actions import title_of
from portal.wording.attempts import KIND_LABELS, OUTCOME_LABELS
from portal.wording.states import is_stopped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from portal.clients.bigcartel import BigCartelOrder
    from portal.models import Attempt, AuditEntry, ChangeAfterSending, Host, Merchant, Order, OrderEvent
    from portal.reports.order_moves import Move

LIVE = frozenset(OrderState) - FINAL - {OrderState.REJECTED}
"""States that change automatically; the order's page keeps refreshing during them."""

_DECISIONS = {RETRIED: "Retried", RELEASED: "Released", CLOSED: "Closed"}
_WAITING_ON = {
    OrderState.HELD: "you",
    OrderState.REJECTED: "you",
    OrderState.SUBMITTED: "the warehouse",
    OrderState.COMPLETED: "",
    OrderState.CLOSED: "",
}


_NEEDS = {
    OrderState.READY: (HostName.WAREHOUSE,),
    OrderState.UNCONFIRMED: (HostName.WAREHOUSE,),
    OrderState.SUBMITTED: (HostName.WAREHOUSE,),
    OrderState.SHIPPED: (HostName.BIG_CARTEL,),
}
"""The services whose answer moves an order on."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the timeline. ``words`` are the other service's own; ``attempt`` is set for attempts only."""

    at: datetime
    title: str
    note: str = ""
    words: str = ""
    attempt: Attempt | None = None
    what: str = ""
    """What the attempt was, if the title says what became of the order."""


def is_live(order: Order) -> bool:
    """Return whether the order's state can still change automatically."""
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


def outage(order: Order, failing: Mapping[HostName, Host], now: datetime) -> Host | None:
    """Return the failing service that the order waits for, if any. ``failing`` holds those that fail for everyone."""
    if not is_live(order):
        return None
    needs = _NEEDS.get(order.state, ())
    if order.state is OrderState.READY and order.first_seen_at <= now - SENT_AS_READ:
        # Its products are read again before it is sent.
        needs = (*needs, HostName.BIG_CARTEL)
    return next((failing[name] for name in needs if name in failing), None)


def as_placed(order: Order) -> BigCartelOrder | None:
    """Return the order as Big Cartel last sent it; None once the buyer's data has been purged."""
    return None if order.purged_at is not None else read_stored(order.document)


def why_this_service(order: Order, country: str) -> str:
    """Say why the order ships with its service. ``country`` is the address's country code, "" once purged."""
    if not order.shipping_code:
        return "We don't know which country this order ships to, so we can't choose a carrier service."
    reach = "domestic" if order.shipping_code == ShippingCode.DOMESTIC_DEFAULT else "international"
    where = f"It ships to {country}, which counts as {reach}" if country else f"It counts as {reach}"
    code = f"{where} ({order.shipping_code})."
    if order.edits and order.edits.get("service", {}).get("code") == order.service:
        return f"{code} Its carrier service is {service_name(order.service)} ({order.service}), for this order only."
    if not order.service:
        return f"{code} No carrier service is chosen for it under Shipping."
    return f"{code} Its carrier service is {service_name(order.service)} ({order.service}), as chosen under Shipping."


def timeline(
    order: Order,
    attempts: Iterable[Attempt],
    entries: Iterable[AuditEntry],
    events: Iterable[OrderEvent],
    changes: Iterable[ChangeAfterSending] = (),
) -> list[Moment]:
    """Return the order's moves, its attempts, people's decisions and its own dates, newest first.

    A move is told together with the attempt or the decision that made it. If it ends a sending, its attempt says all.
    """
    moments = [] if order.placed_at is None else [Moment(order.placed_at, "Placed by the buyer")]
    moments.append(Moment(order.first_seen_at, "First synced from Big Cartel"))
    if order.purged_at is not None:
        moments.append(Moment(order.purged_at, "Buyer's data removed", "Required by our data retention rules."))
    moments += [_changed(change) for change in changes]
    moves = {move.at: move for move in moves_of(events, accepted_at=order.submitted_at)}
    moments += [_decision(entry, moves) for entry in entries]
    told = [_told_of(attempt, moves) for attempt in sorted(attempts, key=lambda attempt: attempt.id)]
    moments += [Moment(move.at, move.title, move.note) for move in moves.values() if not move.is_of_sending]
    # sorted() is stable, so of several at the same time, the last one added is listed first.
    return sorted(moments + told, key=lambda moment: moment.at)[::-1]


def _changed(change: ChangeAfterSending) -> Moment:
    """Return a change in Big Cartel after sending: the names of its fields, without the buyer's data."""
    fields = ", ".join(one["field"] for one in change.fields)
    title = f"Changed in Big Cartel after it was sent{': ' if fields else ''}{fields}"
    return Moment(change.at, title, f"Taken care of by {change.acknowledged_by}." if change.acknowledged_by else "")


def _decision(entry: AuditEntry, moves: dict[datetime, Move]) -> Moment:
    """Return a person's decision, with the move that it made, which is taken out of ``moves``."""
    title = f"{_DECISIONS.get(entry.action, title_of(entry.action))} by {entry.actor}"
    move = moves.get(entry.at)
    if move is None or move.actor != entry.actor:
        return Moment(entry.at, title, entry.reason)
    del moves[entry.at]
    now = move.title if move.to_state is OrderState.HELD else ""
    return Moment(entry.at, title, _sentences(entry.reason, move.what_ended, now))


def _told_of(attempt: Attempt, moves: dict[datetime, Move]) -> Moment:
    """Return an attempt, with the move that its answer made, which is taken out of ``moves``."""
    title = f"{KIND_LABELS[attempt.kind]}: {OUTCOME_LABELS[attempt.outcome]}"
    move = moves.get(attempt.finished_at) if attempt.finished_at is not None else None
    if move is None:
        return Moment(attempt.started_at, title, attempt.explanation, attempt.words, attempt)
    del moves[move.at]
    if move.is_of_sending:
        return Moment(attempt.started_at, title, attempt.explanation, attempt.words, attempt)
    note = _sentences(attempt.explanation, move.what_ended)
    return Moment(move.at, move.title, note, attempt.words, attempt, what=title)


def _sentences(*texts: str) -> str:
    """Join texts, each with a period at its end."""
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts if text)
