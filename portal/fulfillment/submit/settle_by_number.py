"""Settle unconfirmed orders if the FCP offers no status call: send each one again.

The FCP rejects a number that it already has, so "accepted" and "duplicate" both prove that the order is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.clients.errors import Duplicate, OutcomeUnknown, Rejected, ServiceError, Unauthorized
from portal.clients.fcp import names_the_cause
from portal.engine.fan_out import SlowStart
from portal.fulfillment import attempts
from portal.fulfillment.order_columns import accepted_columns, rejected_columns
from portal.fulfillment.rulebook import Rulebook
from portal.models import AttemptKind, AttemptOutcome
from portal.models.states import OrderChange
from portal.rules.packing import pack
from portal.wording import attempts as wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.clients.fcp import OrderRequest
    from portal.fulfillment.submit.settle import Settlement, Unconfirmed


def settle_by_number(settlement: Settlement, orders: Sequence[Unconfirmed]) -> None:
    """Send the orders one at a time; orders that have since gone on hold are settled later. Commits after each."""
    submission = settlement.submission
    book = Rulebook(submission.session)
    documents = [(one, read_stored(one.order.document)) for one in orders]
    book.load([(one.order.store_id, document) for one, document in documents])
    pace = SlowStart(full=1)
    for one, document in documents:
        assessment = book.assess(one.order.store_id, document, released=one.order.released)
        if assessment.holds:
            settlement.ask_later([one], submission.context.clock())
            submission.session.commit()
            continue
        must_stop = _send(settlement, one, pack(document, assessment)[0], pace)
        submission.session.commit()
        if must_stop:
            return


def _send(settlement: Settlement, one: Unconfirmed, request: OrderRequest, pace: SlowStart) -> bool:
    """Send one order. Return whether to stop."""
    submission, order_id = settlement.submission, one.order.id
    attempts.open_attempts(
        submission.session,
        [order_id],
        merchant_id=submission.merchant.id,
        kind=AttemptKind.SUBMIT,
        trigger=submission.context.trigger,
        now=submission.context.clock(),
    )
    submission.session.commit()
    must_stop = False
    try:
        accepted = submission.fcp.submit(request)
    except ServiceError as error:
        now = submission.context.clock()
        completion = attempts.failed(order_id, AttemptKind.SUBMIT, error, now)
        _handle_error(settlement, one, error, now)
        if isinstance(error, OutcomeUnknown):
            must_stop = pace.unclear()
        else:
            pace.clear()
    else:
        pace.clear()
        now = submission.context.clock()
        completion = attempts.Completion(order_id, AttemptOutcome.DONE, now, wording.FOUND, exchange=accepted.exchange)
        columns = accepted_columns(accepted.order_id, accepted.order_status, now)
        settlement.accept([OrderChange(order_id, columns)], now)
    attempts.complete(submission.session, AttemptKind.SUBMIT, [completion])
    return must_stop or bool(settlement.stopped)


def _handle_error(settlement: Settlement, one: Unconfirmed, error: ServiceError, now: datetime) -> None:
    if isinstance(error, Duplicate) and error.is_certain:
        settlement.accept([OrderChange(one.order.id, accepted_columns("", "", now))], now)
    elif isinstance(error, Rejected) or (
        # If it had accepted the order last time, it would now reject the number as a duplicate.
        isinstance(error, OutcomeUnknown) and one.order.failures and names_the_cause(error.words)
    ):
        settlement.reject([OrderChange(one.order.id, rejected_columns(error.words))], now)
    else:
        if isinstance(error, Unauthorized):
            settlement.submission.result.unconfirmed += 1
        else:
            settlement.ask_later([one], now)
        settlement.handle_error(error, now)
