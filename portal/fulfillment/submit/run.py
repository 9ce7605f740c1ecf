"""One run of submitting for a merchant: what is unconfirmed is settled, then what is ready is sent."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from portal.engine.leases import Work, leased
from portal.fulfillment.clients import CHECK_CREDENTIALS, BlockedError, fcp_for
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.submit.context import Submission, SubmitResult
from portal.fulfillment.submit.drain import drain
from portal.fulfillment.submit.recover import recover
from portal.fulfillment.submit.settle import settle
from portal.models import Merchant

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.fulfillment.submit.settlement import Settlement

MAX_JOB_TIME = timedelta(minutes=10)
"""How long one job goes on claiming orders; well below the queue's time limit, and the tick wakes the next."""
MAX_PASSES = 3
"""How often a person's run sends again what the warehouse turned out not to have."""


def submit_merchant(
    session: Session, merchant_id: int, settings: Settings, context: RunContext = ON_SCHEDULE
) -> SubmitResult:
    """Settle what is unconfirmed, then send what is ready.

    Refused credentials stop the merchant until they are fixed. Raises LeaseTakenError while another worker submits for
    this merchant.
    """
    return _run(session, merchant_id, settings, context, _submit)


def settle_merchant(
    session: Session, merchant_id: int, settings: Settings, context: RunContext = ON_SCHEDULE
) -> SubmitResult:
    """Settle what is unconfirmed without sending anything new. Raises LeaseTakenError."""
    return _run(session, merchant_id, settings, context, _settle)


def _run(
    session: Session,
    merchant_id: int,
    settings: Settings,
    context: RunContext,
    step: Callable[[Submission], object],
) -> SubmitResult:
    announce = context.announce_wait("submitting for this merchant")
    with leased(session, Work.SUBMIT.of(merchant_id), wait=context.lease_wait, waiting=announce) as lease:
        merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
        recover(session, merchant_id, lease, context.clock())
        try:
            fcp = fcp_for(merchant, settings, now=context.clock(), ignore_pause=context.by_person)
        except BlockedError as error:
            return SubmitResult(problem=str(error))
        submission = Submission(session, merchant, fcp, lease, context, settings.fcp_concurrency)
        step(submission)
    return submission.result


def _submit(submission: Submission) -> None:
    for _ in range(MAX_PASSES if submission.context.by_person else 1):
        are_missing = _settle_and_drain(submission)
        if submission.result.problem or not are_missing:
            break


def _settle_and_drain(submission: Submission) -> bool:
    """Return whether the warehouse turned out not to have orders that were sent: they wait to be sent again."""
    context, result = submission.context, submission.result
    if _settle(submission).stopped:
        return False
    drained = drain(submission, until=None if context.by_person else context.clock() + MAX_JOB_TIME)
    if not drained.unconfirmed or drained.stopped == CHECK_CREDENTIALS:
        result.problem = drained.stopped or result.problem
        return False
    settled = _settle(submission)
    result.problem = drained.stopped or result.problem
    return settled.missing > 0


def _settle(submission: Submission) -> Settlement:
    """Settle; a person's run waits, half a minute at most, until the warehouse's "I do not have it" can be believed."""
    context, result = submission.context, submission.result
    settlement = settle(submission)
    if settlement.wait_until is not None and not settlement.stopped and context.by_person:
        seconds = (settlement.wait_until - context.clock()).total_seconds()
        context.say(
            f"{result.unconfirmed} sent without a clear answer. The warehouse may still be taking them in: "
            f"asking again in {seconds:.0f} s."
        )
        Event().wait(max(seconds, 0) + 0.1)
        missing = settlement.missing
        settlement = settle(submission)
        settlement.missing += missing
    result.problem = settlement.problem
    return settlement
