"""Settle unconfirmed orders: ask the warehouse about each, and send it again only if the answer is a clear no."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select, type_coerce
from sqlalchemy.orm import aliased

from portal.clients.errors import NotFound, ServiceError
from portal.clients.fcp import MAX_STATUSES, names_the_cause
from portal.fulfillment import attempts, search_rows
from portal.fulfillment.order_columns import accepted_columns, closed_columns, failure_columns, rejected_columns
from portal.fulfillment.submit.store_check import Finding, check_stores
from portal.fulfillment.submit.stored_order import StoredOrder, select_stored
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order, OrderState
from portal.models.base import UtcDateTime
from portal.models.states import OrderChange, lock, move, rewrite
from portal.rules import backoff
from portal.rules.patience import STATUS_LAG
from portal.wording import attempts as wording
from portal.wording.history import FOUND, SENT_AGAIN
from portal.wording.stops import STORE_NOT_CHECKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ScalarSelect

    from portal.clients.fcp import OrderStatus
    from portal.fulfillment.submit.context import Submission
    from portal.models.states import OrderColumns

log = logging.getLogger(__name__)

MAX_CONTRADICTIONS = 3
"""How many times we resend an order that the FCP rejects as a duplicate but doesn't have; then a person decides."""


class Unconfirmed(NamedTuple):
    """An unconfirmed order, with its last submission."""

    order: StoredOrder
    sent_at: datetime | None
    """When its request left, or the latest time at which it can have left; None if it was never sent."""
    outcome: AttemptOutcome | None
    words: str | None
    duplicates: int
    """How often the FCP has rejected its number as a duplicate."""
    unclear: int
    """How often sending it had an unclear outcome."""

    @property
    def open_since(self) -> datetime | None:
        return self.order.first_failed_at or self.sent_at


class Settlement:
    """One pass over the unconfirmed orders, and what it found.

    ``stopped`` says why nothing can be sent now; ``unclear`` says why some orders could not be settled although the
    warehouse can be reached.
    """

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.missing = 0
        """Orders that the warehouse doesn't have; they are ready to be sent again."""
        self.wait_until: datetime | None = None
        """When "not found" becomes reliable for all orders that are unconfirmed only because they were just sent."""
        self.unclear = ""
        self.stopped = ""
        self.store_problem = ""
        """Why some orders that the warehouse doesn't have could not be sent again."""
        submission.result.unconfirmed = 0

    @property
    def problem(self) -> str:
        return self.stopped or self.unclear

    def accept(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.submission.result.accepted += self._move(changes, OrderState.SUBMITTED, now, FOUND)

    def reject(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.submission.result.rejected += self._move(changes, OrderState.REJECTED, now)

    def send_again(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.missing += self._move(changes, OrderState.READY, now, SENT_AGAIN)

    def _move(self, changes: Sequence[OrderChange], to_state: OrderState, now: datetime, reason: str = "") -> int:
        session = self.submission.session
        told = [replace(change, reason=reason) for change in changes]
        moved = move(session, told, from_state=OrderState.UNCONFIRMED, to_state=to_state, now=now)
        search_rows.refresh(session, [change.order_id for change in changes if "document" in change.columns])
        return moved

    def close(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self._move(changes, OrderState.CLOSED, now)

    def ask_later(self, orders: Sequence[Unconfirmed], now: datetime) -> None:
        """Keep the orders unconfirmed and ask again later, at growing intervals; if the FCP fails, once it answers."""
        self.submission.result.unconfirmed += len(orders)
        changes = [
            OrderChange(
                one.order.id,
                {"next_attempt_at": now if self.stopped else backoff.next_check(one.open_since or now, now)},
            )
            for one in orders
        ]
        rewrite(self.submission.session, changes, state=OrderState.UNCONFIRMED)

    def check_store_later(self, orders: Sequence[Unconfirmed], now: datetime) -> None:
        """Keep the orders unconfirmed: the warehouse doesn't have them, and their store can't be asked now."""
        if orders:
            self.store_problem = STORE_NOT_CHECKED
        self.submission.result.unconfirmed += len(orders)
        soon = backoff.next_check(now, now)
        changes = [OrderChange(one.order.id, {"next_attempt_at": soon}) for one in orders]
        rewrite(self.submission.session, changes, state=OrderState.UNCONFIRMED)

    def ask_again_at(self, order: Unconfirmed, at: datetime, now: datetime) -> None:
        """Keep the order unconfirmed until ``at``: the warehouse may not show it yet."""
        self.submission.result.unconfirmed += 1
        change = OrderChange(order.order.id, {"next_attempt_at": at})
        rewrite(self.submission.session, [change], state=OrderState.UNCONFIRMED)
        self.wait_until = max(self.wait_until or now, at)

    def handle_error(self, error: ServiceError) -> None:
        """Handle an error that settles nothing: it may also stop the merchant's other orders. Commits.

        May make a call of its own, so no transaction may be open.
        """
        submission = self.submission
        self.stopped = submission.warehouse.what_stops(error)
        if not self.stopped:
            self.unclear = str(error)
            log.warning("submit.unclear", extra={"merchant": submission.merchant.id, "error": str(error)})


def read_unconfirmed(submission: Submission, last_id: int) -> list[Unconfirmed]:
    last_sent = (
        select(func.max(Attempt.id))
        .where(Attempt.order_id == Order.id, Attempt.kind == AttemptKind.SUBMIT)
        .correlate(Order)
        .scalar_subquery()
    )
    # A dead worker couldn't say when its request left: not after its attempt was found and completed.
    # One without an attempt may have been sent by somebody who left no trace, until it became unconfirmed.
    sent_at = func.coalesce(Attempt.departed_at, Attempt.finished_at, Attempt.started_at, Order.state_changed_at)
    query = (
        select_stored()
        .add_columns(
            type_coerce(sent_at, UtcDateTime()),
            Attempt.outcome,
            Attempt.words,
            _count(AttemptOutcome.DUPLICATE),
            _count(AttemptOutcome.UNKNOWN),
        )
        .outerjoin(Attempt, Attempt.id == last_sent)
        .where(Order.merchant_id == submission.merchant.id, Order.state == OrderState.UNCONFIRMED, Order.id > last_id)
    )
    if not submission.context.by_person:
        query = query.where(Order.next_attempt_at <= submission.context.clock())
    rows = submission.session.execute(query.order_by(Order.id).limit(MAX_STATUSES))
    width = len(StoredOrder._fields)
    return [Unconfirmed(StoredOrder._make(row[:width]), *row[width:]) for row in rows]


def _count(outcome: AttemptOutcome) -> ScalarSelect[int]:
    """Return how often sending the order ended this way."""
    attempt = aliased(Attempt)
    ended = (attempt.order_id == Order.id, attempt.kind == AttemptKind.SUBMIT, attempt.outcome == outcome)
    return select(func.count(attempt.id)).where(*ended).correlate(Order).scalar_subquery()


def settle_by_status(settlement: Settlement, orders: Sequence[Unconfirmed]) -> None:
    """Settle the orders with one status call. Raises NotFound if the FCP offers no status call. Commits.

    An order that the warehouse doesn't have is sent again only after a look at its store.
    """
    submission = settlement.submission
    session = submission.session
    asked_at = submission.context.clock()
    opened = attempts.open_attempts(
        session,
        [one.order.id for one in orders],
        merchant_id=submission.merchant.id,
        kind=AttemptKind.STATUS,
        trigger=submission.context.trigger,
        now=asked_at,
    )
    session.commit()
    try:
        statuses = submission.fcp.statuses([one.order.number for one in orders])
    except ServiceError as error:
        now = submission.context.clock()
        attempts.complete(session, [attempts.failed(one, AttemptKind.STATUS, error, now) for one in opened])
        session.commit()
        if isinstance(error, NotFound):
            raise
        settlement.handle_error(error)
        settlement.ask_later(orders, now)
    else:
        missing = [one for one in orders if one.order.number not in statuses and not _is_too_soon(one, asked_at)]
        found = check_stores(submission, [one.order for one in missing])
        submission.warehouse.answered()
        _read_statuses(settlement, dict(zip(opened, orders, strict=True)), statuses, found)
    session.commit()


def _is_too_soon(one: Unconfirmed, asked_at: datetime) -> bool:
    """Return whether "not found" may only mean "not yet". The answer may take long; it is as old as the question."""
    return one.sent_at is not None and one.sent_at + STATUS_LAG > asked_at


def _read_statuses(
    settlement: Settlement,
    opened: Mapping[int, Unconfirmed],
    statuses: Mapping[str, OrderStatus],
    found_in_store: Mapping[int, Finding],
) -> None:
    """Settle each order by its status. ``opened`` holds the orders by the ids of their attempts."""
    now = settlement.submission.context.clock()
    there, missing, rejected, closed, completions = [], [], [], [], []
    lock(settlement.submission.session, [one.order.id for one in opened.values()])
    for attempt_id, one in opened.items():
        order_id, status, in_store = one.order.id, statuses.get(one.order.number), found_in_store.get(one.order.id)
        if status is not None:
            there.append(OrderChange(order_id, accepted_columns(status.order_id, status.status, now)))
            sentence = f"{wording.FOUND} {wording.status_there(status.status)}"
        elif in_store is None:
            settlement.ask_again_at(one, (one.sent_at or now) + STATUS_LAG, now)
            sentence = wording.NOT_THERE_YET
        elif in_store.closes is not None:
            reason, because = in_store.closes
            closed.append(OrderChange(order_id, closed_columns(reason, because)))
            sentence = f"{wording.NOT_THERE} {reason}"
        elif in_store.is_unknown:
            settlement.check_store_later([one], now)
            sentence = wording.NOT_THERE_STORE_UNKNOWN
        elif one.outcome is AttemptOutcome.DUPLICATE and one.duplicates > MAX_CONTRADICTIONS:
            rejected.append(OrderChange(order_id, rejected_columns(one.words or "")))
            sentence = wording.NOT_THERE_BUT_DUPLICATE
        elif one.outcome is AttemptOutcome.UNKNOWN and one.unclear > 1 and names_the_cause(one.words or ""):
            rejected.append(OrderChange(order_id, rejected_columns(one.words or "")))
            sentence = wording.NOT_THERE_AND_REJECTED
        else:
            columns = _resend_columns(one, now)
            missing.append(OrderChange(order_id, {**columns, "document": in_store.document or one.order.document}))
            sentence = wording.SENDING_AGAIN
        exchange = attempts.exchange_for(one.order.number, status)
        completions.append(attempts.Completion(attempt_id, AttemptOutcome.DONE, now, sentence, exchange=exchange))
    settlement.accept(there, now)
    settlement.send_again(missing, now)
    settlement.reject(rejected, now)
    settlement.close(closed, now)
    attempts.complete(settlement.submission.session, completions)


def _resend_columns(one: Unconfirmed, now: datetime) -> OrderColumns:
    """Return when to send the order again: now, unless earlier failures were counted against it.

    The wait counts from when it was last sent.
    """
    order = one.order
    if one.outcome is AttemptOutcome.INTERRUPTED:
        return failure_columns(order.failures, order.first_failed_at, now)
    if not order.failures or order.first_failed_at is None:
        return {"failures": 0, "first_failed_at": None, "next_attempt_at": now}
    return {
        "failures": order.failures,
        "first_failed_at": order.first_failed_at,
        "next_attempt_at": backoff.next_try(order.failures, order.first_failed_at, one.sent_at or now),
    }
