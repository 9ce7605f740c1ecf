"""One submit run for a merchant: settle unconfirmed orders, then send ready ones."""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clients.errors import NotFound
from portal.engine.leases import LeaseKind, leased
from portal.fulfillment import attempts
from portal.fulfillment.changes import acknowledge_past
from portal.fulfillment.clients import BlockedError
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.submit.context import Submission, SubmitResult
from portal.fulfillment.submit.drain import Drain, drain
from portal.fulfillment.submit.settle import Settlement, read_unconfirmed, settle_by_status
from portal.fulfillment.submit.settle_by_number import settle_by_number
from portal.fulfillment.warehouse import open_warehouse
from portal.logs.work import working_on
from portal.models import Attempt, AttemptOutcome, Merchant, Order, OrderState
from portal.models.states import OrderChange, move
from portal.rules.patience import SENT_AS_READ
from portal.wording.attempts import SENDING_INTERRUPTED
from portal.wording.history import WORKER_STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.engine.leases import HeldLease

log = logging.getLogger(__name__)

MAX_PASSES = 3
"""Maximum passes in a run started by a person. Another pass resends orders that the warehouse doesn't have."""


def submit_merchant(
    session: Session, merchant_id: int, settings: Settings, context: RunContext = ON_SCHEDULE
) -> SubmitResult:
    """Settle unconfirmed orders, then send ready ones.

    Rejected credentials stop the merchant until they are fixed. Raises LeaseTakenError while another worker submits for
    this merchant.
    """
    return _run(session, merchant_id, settings, context, _submit)


def settle_merchant(
    session: Session, merchant_id: int, settings: Settings, context: RunContext = ON_SCHEDULE
) -> SubmitResult:
    """Settle unconfirmed orders without sending anything new. Raises LeaseTakenError."""
    return _run(session, merchant_id, settings, context, _settle)


def _run(
    session: Session,
    merchant_id: int,
    settings: Settings,
    context: RunContext,
    step: Callable[[Submission], object],
) -> SubmitResult:
    announce = context.announce_wait("sending this merchant's orders")
    with (
        working_on(merchant=merchant_id),
        leased(session, LeaseKind.SUBMIT.of(merchant_id), wait=context.lease_wait, waiting=announce) as lease,
    ):
        merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
        recover(session, merchant_id, lease, context.clock())
        try:
            warehouse = open_warehouse(session, merchant, settings, context.clock, ignore_pause=context.by_person)
        except BlockedError as error:
            return SubmitResult(problem=str(error))
        submission = Submission(session, warehouse, lease, context, settings)
        step(submission)
    return submission.result


def _submit(submission: Submission) -> None:
    for _ in range(MAX_PASSES if submission.context.by_person else 1):
        are_missing = _settle_and_drain(submission)
        if submission.result.problem or not are_missing:
            break


def _settle_and_drain(submission: Submission) -> bool:
    """Return whether there are orders to resend: we sent them, but the warehouse doesn't have them."""
    result = submission.result
    if _settle(submission).stopped:
        return False
    drained = _drain_all(submission)
    if not drained.unconfirmed or drained.credentials_rejected:
        result.problem = drained.stopped or submission.waited.problem or result.problem
        return False
    settled = _settle(submission)
    result.problem = drained.stopped or submission.waited.problem or result.problem
    return settled.missing > 0


def _drain_all(submission: Submission) -> Drain:
    """Send ready orders, in several drains if they take long. Return the last drain.

    Products are read before each drain, because what was read for orders that have waited counts only for minutes.
    """
    context = submission.context
    until: datetime | None = None
    waited, unconfirmed = submission.waited, 0
    while True:
        waited.read_products()
        # A turn begins once there is something to send, however long reading took: every turn sends something.
        until = until or context.turn_ends_at()
        pause = context.clock() + SENT_AS_READ
        drained = drain(submission, until=pause if until is None else min(pause, until))
        drained.unconfirmed += unconfirmed
        unconfirmed = drained.unconfirmed
        now = context.clock()
        if drained.stopped or submission.lease.lost:
            return drained
        submission.result.turn_is_over = until is not None and now >= until
        is_unfinished = waited.is_incomplete or now >= pause
        if submission.result.turn_is_over or not is_unfinished:
            return drained


def _settle(submission: Submission) -> Settlement:
    """Settle. If a person started the run, wait up to half a minute: the warehouse may not show new orders yet."""
    context, result = submission.context, submission.result
    settlement = _settle_all(submission)
    if settlement.wait_until is not None and not settlement.stopped and context.by_person:
        seconds = (settlement.wait_until - context.clock()).total_seconds()
        context.say(
            f"{result.unconfirmed} awaiting confirmation. The warehouse may not show new orders yet; "
            f"checking again in {seconds:.0f} s."
        )
        Event().wait(max(seconds, 0) + 0.1)
        missing = settlement.missing
        settlement = _settle_all(submission)
        settlement.missing += missing
    result.problem = settlement.problem or settlement.store_problem
    return settlement


def _settle_all(submission: Submission) -> Settlement:
    """Ask the FCP about every unconfirmed order and settle it. A failed call never raises. Commits as it goes.

    Orders that can't be settled now are settled later; they don't hold up other orders.
    """
    settlement = Settlement(submission)
    last_id = 0
    while not settlement.problem and (orders := read_unconfirmed(submission, last_id)):
        last_id = orders[-1].order.id
        try:
            settle_by_status(settlement, orders)
        except NotFound:
            settle_by_number(settlement, orders)
    # Those that are sent again are packed from their new documents.
    acknowledge_past(submission.session, submission.merchant.id, submission.context.clock())
    submission.session.commit()
    return settlement


def recover(session: Session, merchant_id: int, lease: HeldLease, now: datetime) -> int:
    """Move orders that a dead worker was sending to unconfirmed, and complete its attempts. Commits.

    Call this while holding the merchant's submit lease: any other owner of a claim has then lost it. Returns the number
    of orders moved.
    """
    ids = session.scalars(
        select(Order.id).where(
            Order.merchant_id == merchant_id, Order.state == OrderState.SUBMITTING, Order.claim != lease.owner
        )
    ).all()
    left_open = session.scalars(
        select(Attempt.id)
        .join(Order, Order.id == Attempt.order_id)
        .where(
            Order.merchant_id == merchant_id,
            Order.state.in_([OrderState.SUBMITTING, OrderState.UNCONFIRMED]),
            Attempt.outcome == AttemptOutcome.OPEN,
        )
    ).all()
    move(
        session,
        [OrderChange(order_id, {"claim": "", "next_attempt_at": now}, reason=WORKER_STOPPED) for order_id in ids],
        from_state=OrderState.SUBMITTING,
        to_state=OrderState.UNCONFIRMED,
        now=now,
    )
    attempts.complete(
        session,
        [
            attempts.Completion(attempt_id, AttemptOutcome.INTERRUPTED, now, SENDING_INTERRUPTED)
            for attempt_id in left_open
        ],
    )
    session.commit()
    if ids:
        log.warning("submit.recovered", extra={"merchant": merchant_id, "orders": len(ids)})
    return len(ids)
