"""Settle unconfirmed orders: ask the warehouse about each, and send it again only if the answer is a clear no."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.clients.errors import NotFound, NotSent, ServiceError, Unauthorized
from portal.clients.fcp import MAX_STATUSES, names_the_cause
from portal.fulfillment import attempts
from portal.fulfillment.clients import credentials_rejected, fcp_answered, fcp_failed
from portal.fulfillment.order_columns import accepted_columns, failure_columns, rejected_columns
from portal.fulfillment.submit.context import StoredOrder, select_stored
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order, OrderState
from portal.models.states import OrderChange, move, rewrite
from portal.rules import backoff
from portal.wording import attempts as wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from portal.clients.fcp import OrderStatus
    from portal.fulfillment.submit.context import Submission
    from portal.models.states import OrderColumns

log = logging.getLogger(__name__)

STATUS_LAG = timedelta(seconds=30)
"""For this long after an order was sent, the warehouse's "not found" may only mean "not yet"."""
MAX_CONTRADICTIONS = 3
"""How many times we resend an order that the FCP rejects as a duplicate but doesn't have; then a person decides."""


class Unconfirmed(NamedTuple):
    """An unconfirmed order, with its last submission."""

    order: StoredOrder
    sent_at: datetime | None
    outcome: AttemptOutcome | None
    words: str | None
    duplicates: int
    """How often the FCP has rejected its number as a duplicate."""


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
        submission.result.unconfirmed = 0

    @property
    def problem(self) -> str:
        return self.stopped or self.unclear

    def accept(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.submission.result.accepted += self._move(changes, OrderState.SUBMITTED, now)

    def reject(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.submission.result.rejected += self._move(changes, OrderState.REJECTED, now)

    def send_again(self, changes: Sequence[OrderChange], now: datetime) -> None:
        self.missing += self._move(changes, OrderState.READY, now)

    def _move(self, changes: Sequence[OrderChange], to_state: OrderState, now: datetime) -> int:
        session = self.submission.session
        return move(session, changes, from_state=OrderState.UNCONFIRMED, to_state=to_state, now=now)

    def ask_later(self, orders: Sequence[Unconfirmed], now: datetime) -> None:
        """Keep the orders unconfirmed and ask again later: at growing intervals up to an hour, without giving up."""
        self.submission.result.unconfirmed += len(orders)
        changes = [
            OrderChange(
                one.order.id,
                {"failures": one.order.failures + 1, "next_attempt_at": backoff.later(one.order.failures + 1, now)},
            )
            for one in orders
        ]
        rewrite(self.submission.session, changes, state=OrderState.UNCONFIRMED)

    def ask_again_at(self, order: Unconfirmed, at: datetime, now: datetime) -> None:
        """Keep the order unconfirmed until ``at``: the warehouse may not show it yet."""
        self.submission.result.unconfirmed += 1
        change = OrderChange(order.order.id, {"next_attempt_at": at})
        rewrite(self.submission.session, [change], state=OrderState.UNCONFIRMED)
        self.wait_until = max(self.wait_until or now, at)

    def handle_error(self, error: ServiceError, now: datetime) -> None:
        """Handle an error that settles nothing: it may also stop or pause the merchant's other orders."""
        submission = self.submission
        if isinstance(error, Unauthorized):
            self.stopped = str(error)
            credentials_rejected(submission.session, submission.merchant, submission.sealed_token, error, now)
        elif isinstance(error, NotSent):
            self.stopped = str(error)
            fcp_failed(submission.merchant, error, now)
        else:
            self.unclear = str(error)
            log.warning("submit.unclear", extra={"merchant": submission.merchant.id, "error": str(error)})


def read_unconfirmed(submission: Submission, last_id: int) -> list[Unconfirmed]:
    last_sent = (
        select(func.max(Attempt.id))
        .where(Attempt.order_id == Order.id, Attempt.kind == AttemptKind.SUBMIT)
        .correlate(Order)
        .scalar_subquery()
    )
    any_attempt = aliased(Attempt)
    duplicates = (
        select(func.count(any_attempt.id))
        .where(any_attempt.order_id == Order.id, any_attempt.outcome == AttemptOutcome.DUPLICATE)
        .correlate(Order)
        .scalar_subquery()
    )
    query = (
        select_stored()
        .add_columns(Attempt.started_at, Attempt.outcome, Attempt.words, duplicates)
        .outerjoin(Attempt, Attempt.id == last_sent)
        .where(Order.merchant_id == submission.merchant.id, Order.state == OrderState.UNCONFIRMED, Order.id > last_id)
    )
    if not submission.context.by_person:
        query = query.where(Order.next_attempt_at <= submission.context.clock())
    rows = submission.session.execute(query.order_by(Order.id).limit(MAX_STATUSES))
    width = len(StoredOrder._fields)
    return [Unconfirmed(StoredOrder._make(row[:width]), *row[width:]) for row in rows]


def settle_by_status(settlement: Settlement, orders: Sequence[Unconfirmed]) -> None:
    """Settle the orders with one status call. Raises NotFound if the FCP offers no status call. Commits."""
    submission = settlement.submission
    session = submission.session
    attempts.open_attempts(
        session,
        [one.order.id for one in orders],
        merchant_id=submission.merchant.id,
        kind=AttemptKind.STATUS,
        trigger=submission.context.trigger,
        now=submission.context.clock(),
    )
    session.commit()
    try:
        statuses = submission.fcp.statuses([one.order.number for one in orders])
    except NotFound as error:
        _complete_failed(submission, orders, error)
        session.commit()
        raise
    except ServiceError as error:
        now = submission.context.clock()
        _complete_failed(submission, orders, error)
        settlement.ask_later(orders, now)
        settlement.handle_error(error, now)
    else:
        fcp_answered(submission.merchant)
        _read_statuses(settlement, orders, statuses)
    session.commit()


def _read_statuses(settlement: Settlement, orders: Sequence[Unconfirmed], statuses: Mapping[str, OrderStatus]) -> None:
    now = settlement.submission.context.clock()
    found, missing, rejected, completions = [], [], [], []
    for one in orders:
        order_id, status = one.order.id, statuses.get(one.order.number)
        if status is not None:
            found.append(OrderChange(order_id, accepted_columns(status.order_id, status.status, now)))
            sentence = f"{wording.FOUND} {wording.status_there(status.status)}"
        elif one.sent_at is not None and one.sent_at + STATUS_LAG > now:
            settlement.ask_again_at(one, one.sent_at + STATUS_LAG, now)
            sentence = wording.NOT_THERE_YET
        elif one.outcome is AttemptOutcome.DUPLICATE and one.duplicates > MAX_CONTRADICTIONS:
            rejected.append(OrderChange(order_id, rejected_columns(one.words or "")))
            sentence = wording.NOT_THERE_BUT_DUPLICATE
        elif one.outcome is AttemptOutcome.UNKNOWN and one.order.failures and names_the_cause(one.words or ""):
            rejected.append(OrderChange(order_id, rejected_columns(one.words or "")))
            sentence = wording.NOT_THERE_AND_REJECTED
        else:
            missing.append(OrderChange(order_id, _resend_columns(one, now)))
            sentence = wording.SENDING_AGAIN
        exchange = attempts.exchange_for(one.order.number, status)
        completions.append(attempts.Completion(order_id, AttemptOutcome.DONE, now, sentence, exchange=exchange))
    settlement.accept(found, now)
    settlement.send_again(missing, now)
    settlement.reject(rejected, now)
    attempts.complete(settlement.submission.session, AttemptKind.STATUS, completions)


def _resend_columns(one: Unconfirmed, now: datetime) -> OrderColumns:
    """Return the columns after one more failure. An order whose first try our worker interrupted is due right away."""
    columns = failure_columns(one.order.failures, one.order.first_failed_at, now)
    if one.outcome is AttemptOutcome.INTERRUPTED and not one.order.failures:
        columns["next_attempt_at"] = now
    return columns


def _complete_failed(submission: Submission, orders: Sequence[Unconfirmed], error: ServiceError) -> None:
    now = submission.context.clock()
    completions = [attempts.failed(one.order.id, AttemptKind.STATUS, error, now) for one in orders]
    attempts.complete(submission.session, AttemptKind.STATUS, completions)
