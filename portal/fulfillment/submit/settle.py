"""Settle unconfirmed orders: the warehouse is asked for each; only its clear no lets an order be sent again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.clients.errors import NotFound, ServiceError
from portal.clients.fcp import MAX_STATUSES, names_the_cause
from portal.fulfillment import attempts
from portal.fulfillment.clients import fcp_answered
from portal.fulfillment.outcomes import accepted_columns, failure_columns, rejected_columns
from portal.fulfillment.submit.context import StoredOrder, select_stored
from portal.fulfillment.submit.settle_by_number import settle_by_number
from portal.fulfillment.submit.settlement import Settlement, Unconfirmed
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order, OrderState
from portal.models.states import OrderChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from portal.clients.fcp import OrderStatus
    from portal.fulfillment.submit.context import Submission
    from portal.models.states import OrderColumns

STATUS_LAG = timedelta(seconds=30)
"""This soon after an order was sent, the warehouse's "I do not have it" may only mean "not yet"."""
MAX_CONTRADICTIONS = 3
"""How often an order is sent again that the FCP refuses as a duplicate and does not have; then a person decides."""


def settle(submission: Submission) -> Settlement:
    """Ask the FCP for every unconfirmed order and settle it. A failed call never raises; commits as it goes.

    What cannot be settled is asked for later, and keeps no other order from being sent.
    """
    settlement = Settlement(submission)
    last_id = 0
    while not settlement.problem:
        orders = _unconfirmed(submission, last_id)
        if not orders:
            break
        last_id = orders[-1].order.id
        try:
            _settle_by_status(settlement, orders)
        except NotFound:
            settle_by_number(settlement, orders)
    submission.session.commit()
    return settlement


def _unconfirmed(submission: Submission, last_id: int) -> list[Unconfirmed]:
    last_sent = (
        select(func.max(Attempt.id))
        .where(Attempt.order_id == Order.id, Attempt.kind == AttemptKind.SUBMIT)
        .correlate(Order)
        .scalar_subquery()
    )
    refused = aliased(Attempt)
    duplicates = (
        select(func.count(refused.id))
        .where(refused.order_id == Order.id, refused.outcome == AttemptOutcome.DUPLICATE)
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
        query = query.where(Order.next_attempt_at <= submission.now())
    rows = submission.session.execute(query.order_by(Order.id).limit(MAX_STATUSES))
    own = len(StoredOrder._fields)
    return [Unconfirmed(StoredOrder._make(row[:own]), *row[own:]) for row in rows]


def _settle_by_status(settlement: Settlement, orders: Sequence[Unconfirmed]) -> None:
    """Raises NotFound when the FCP offers no status call."""
    submission = settlement.submission
    session = submission.session
    attempts.open_attempts(
        session,
        [one.order.id for one in orders],
        merchant_id=submission.merchant.id,
        kind=AttemptKind.STATUS,
        trigger=submission.context.trigger,
        now=submission.now(),
    )
    session.commit()
    try:
        statuses = submission.fcp.statuses([one.order.number for one in orders])
    except NotFound as error:
        _complete_failed(submission, orders, error)
        session.commit()
        raise
    except ServiceError as error:
        now = submission.now()
        _complete_failed(submission, orders, error)
        settlement.ask_later(orders, now)
        settlement.note(error, now)
    else:
        fcp_answered(submission.merchant)
        _read_statuses(settlement, orders, statuses)
    session.commit()


def _read_statuses(settlement: Settlement, orders: Sequence[Unconfirmed], statuses: Mapping[str, OrderStatus]) -> None:
    now = settlement.submission.now()
    found, missing, rejected, completions = [], [], [], []
    for one in orders:
        order_id, status = one.order.id, statuses.get(one.order.number)
        if status is not None:
            found.append(OrderChange(order_id, accepted_columns(status.order_id, status.status, now)))
            sentence = f"The warehouse has the order: {status.status or 'no status given'}."
        elif one.sent_at is not None and one.sent_at + STATUS_LAG > now:
            settlement.ask_once_more(one, one.sent_at + STATUS_LAG, now)
            sentence = "The warehouse does not have the order yet. We ask once more before it is sent again."
        elif one.outcome is AttemptOutcome.DUPLICATE and one.duplicates > MAX_CONTRADICTIONS:
            rejected.append(OrderChange(order_id, rejected_columns(one.words or "")))
            sentence = "The warehouse does not have the order, and still refuses its number. It is not sent again."
        elif one.outcome is AttemptOutcome.UNKNOWN and one.order.failures and names_the_cause(one.words or ""):
            rejected.append(OrderChange(order_id, rejected_columns(one.words or "")))
            sentence = "The warehouse does not have the order, and has said why more than once. It is not sent again."
        else:
            missing.append(OrderChange(order_id, _tried_again(one, now)))
            sentence = "The warehouse does not have the order. It is sent again."
        exchange = attempts.about_one(one.order.number, status)
        completions.append(attempts.Completion(order_id, AttemptOutcome.DONE, now, sentence, exchange=exchange))
    settlement.accept(found, now)
    settlement.send_again(missing, now)
    settlement.reject(rejected, now)
    attempts.complete(settlement.submission.session, AttemptKind.STATUS, completions)


def _tried_again(one: Unconfirmed, now: datetime) -> OrderColumns:
    """Count one more failure; but what our own worker left half-way once need not wait."""
    columns = failure_columns(one.order.failures, one.order.first_failed_at, now)
    if one.outcome is AttemptOutcome.INTERRUPTED and not one.order.failures:
        columns["next_attempt_at"] = now
    return columns


def _complete_failed(submission: Submission, orders: Sequence[Unconfirmed], error: ServiceError) -> None:
    now = submission.now()
    completions = [attempts.failed(one.order.id, AttemptKind.STATUS, error, now) for one in orders]
    attempts.complete(submission.session, AttemptKind.STATUS, completions)
