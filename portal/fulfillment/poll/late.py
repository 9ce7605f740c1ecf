"""Orders that an earlier poll must have seen, although there is no row for them: ask the warehouse before sending them.

A row may have been deleted, or the database restored from a backup, after the order was sent. The store's cursor is the
latest change that we have seen, by Big Cartel's clock, so an order that was placed before it and has no row may be one
of those. A few that Big Cartel's list showed late are asked about for nothing. Nothing was seen before a store's first
poll, so the orders that it finds cost no question.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from portal.clients.errors import NotFound, ServiceError
from portal.clients.fcp import MAX_STATUSES
from portal.engine.leases import LeaseKind, is_taken
from portal.fulfillment.clients import BlockedError, fcp_for
from portal.fulfillment.order_columns import accepted_columns, closed_columns
from portal.models import Attempt, AttemptKind, AuditEntry, ChangeAfterSending, Note, Order, OrderEvent, OrderState
from portal.models.audit import CLOSED, RELEASED, RETRIED
from portal.models.states import ClosedBecause
from portal.rules.patience import STATUS_LAG
from portal.wording.states import closed_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.fcp import OrderStatus
    from portal.fulfillment.poll.context import Poll
    from portal.fulfillment.poll.read import Listed
    from portal.models.states import OrderColumns

log = logging.getLogger(__name__)

MAX_CALL_TIME = timedelta(minutes=10)
"""An attempt that began longer ago is no longer on its way."""


@dataclass(frozen=True, slots=True)
class LateOrders:
    """The late ones among a poll's new orders, and what the warehouse says about them."""

    numbers: frozenset[str] = frozenset()
    statuses: Mapping[str, OrderStatus] | None = field(default_factory=dict)
    """None if the warehouse can't be asked now, or if it may not show yet what was just sent."""
    closed: Mapping[str, AuditEntry] = field(default_factory=dict)
    """Those that a person had closed, with who did it and why."""
    cannot_be_answered: bool = False
    """Whether the warehouse has no status call. It then refuses a number that it already has."""

    def place(self, number: str, now: datetime, *, has_holds: bool) -> tuple[OrderState, OrderColumns] | None:
        """Return the state and columns of a late order that isn't simply new, None if it is.

        One to hold is simply new if no answer can come: people must see why it is on hold.
        """
        if number not in self.numbers:
            return None
        if self.statuses is not None and (status := self.statuses.get(number)):
            return OrderState.SUBMITTED, {"holds": [], **accepted_columns(status.order_id, status.status, now)}
        if entry := self.closed.get(number):
            closing = closed_columns(closed_by(entry.actor, entry.reason), ClosedBecause.PERSON)
            return OrderState.CLOSED, {"holds": [], **closing}
        if self.statuses is None and not (self.cannot_be_answered and has_holds):
            return OrderState.UNCONFIRMED, {"holds": [], "next_attempt_at": now + STATUS_LAG}
        return None


NONE_LATE = LateOrders()


def look_for_late(poll: Poll, changed: Sequence[Listed]) -> LateOrders:
    """Find the late orders and ask the warehouse about them. A failed call never raises. Commits."""
    numbers = sorted(one.order.number for one in changed if one.known is None and _is_late(poll, one))
    if not numbers:
        return NONE_LATE
    session, now = poll.session, poll.context.clock()
    closed = _closed_by_person(session, poll.store.merchant_id, numbers)
    may_be_on_its_way = _may_be_on_its_way(session, poll.store.merchant_id, now)
    session.commit()
    statuses, cannot_be_answered = None, False
    try:
        statuses = None if may_be_on_its_way else _ask(poll, numbers, now)
    except NotFound:
        cannot_be_answered = True
    log.info("poll.orders_seen_late", extra={"store": poll.store.id, "orders": len(numbers)})
    if restored := sorted({*closed, *(statuses or ())}):
        log.error("poll.order_row_restored", extra={"store": poll.store.id, "orders": restored})
    return LateOrders(frozenset(numbers), statuses, closed, cannot_be_answered)


def first_free_id(session: Session) -> int | None:
    """Return the id for the next new order, if SQLite would otherwise use the id of a deleted order again.

    What is left of that order, such as its attempts, would then seem to be the new one's.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    columns = (Attempt.order_id, OrderEvent.order_id, ChangeAfterSending.order_id, Note.order_id)
    used = max(session.scalar(select(func.max(column))) or 0 for column in columns)
    return used + 1 if used > (session.scalar(select(func.max(Order.id))) or 0) else None


def _is_late(poll: Poll, one: Listed) -> bool:
    store, placed_at = poll.store, one.order.placed_at
    # Without a cursor, an earlier poll saw no order, or none with a possible time.
    seen_until = store.cursor or store.last_polled_at
    if not store.live or seen_until is None:
        return False
    return placed_at is None or placed_at <= seen_until or placed_at > poll.context.clock() + timedelta(days=1)


def _may_be_on_its_way(session: Session, merchant_id: int, now: datetime) -> bool:
    """Return whether an order without a row is being sent, or was sent too recently for the warehouse to show it."""
    orphan = (
        select(Attempt.id)
        .outerjoin(Order, Order.id == Attempt.order_id)
        .where(
            Attempt.merchant_id == merchant_id,
            Attempt.kind == AttemptKind.SUBMIT,
            Attempt.started_at > now - MAX_CALL_TIME,
            or_(Attempt.finished_at.is_(None), Attempt.finished_at > now - STATUS_LAG),
            Order.id.is_(None),
        )
    )
    return session.scalars(orphan.limit(1)).first() is not None or is_taken(
        session, LeaseKind.SUBMIT.of(merchant_id), now
    )


def _ask(poll: Poll, numbers: Sequence[str], now: datetime) -> Mapping[str, OrderStatus] | None:
    """Return what the warehouse says, None if it can't be asked now. Raises NotFound if it has no status call."""
    statuses: dict[str, OrderStatus] = {}
    try:
        fcp = fcp_for(poll.session, poll.store.merchant, poll.settings, now=now)
        poll.session.commit()
        for start in range(0, len(numbers), MAX_STATUSES):
            statuses |= fcp.statuses(numbers[start : start + MAX_STATUSES])
    except NotFound:
        raise
    except (BlockedError, ServiceError) as error:
        log.warning("poll.warehouse_not_asked", extra={"error": str(error)})
        return None
    return statuses


def _closed_by_person(session: Session, merchant_id: int, numbers: Sequence[str]) -> dict[str, AuditEntry]:
    """Return the closing of those of the orders that a person closed and didn't take up again."""
    decided = AuditEntry.action.in_([RETRIED, RELEASED, CLOSED])
    query = select(AuditEntry).where(AuditEntry.merchant_id == merchant_id, decided)
    last = {entry.subject: entry for entry in session.scalars(query.order_by(AuditEntry.id))}
    return {number: last[number] for number in numbers if number in last and last[number].action == CLOSED}
