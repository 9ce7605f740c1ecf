"""Settle unconfirmed orders if the FCP offers no status call: send each one again.

The FCP rejects a number that it already has, so "accepted" and "duplicate" both prove that the order is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_stored
from portal.clients.errors import Duplicate, OutcomeUnknown, Rejected, ServiceError
from portal.clients.fcp import names_the_cause
from portal.engine.fan_out import SlowStart
from portal.engine.leases import LeaseLostError
from portal.fulfillment import attempts
from portal.fulfillment.changes import acknowledge
from portal.fulfillment.order_columns import accepted_columns, charged_columns, closed_columns, rejected_columns
from portal.fulfillment.rulebook import Rulebook
from portal.fulfillment.submit.store_check import check_stores
from portal.logs.work import working_on
from portal.models import AttemptKind, AttemptOutcome, ChangeAfterSending, OrderState
from portal.models.states import OrderChange, rewrite
from portal.rules.packing import pack
from portal.wording import attempts as wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.clients.bigcartel import BigCartelOrder
    from portal.clients.fcp import OrderRequest
    from portal.fulfillment.submit.settle import Settlement, Unconfirmed


def settle_by_number(settlement: Settlement, orders: Sequence[Unconfirmed]) -> None:
    """Send the orders one at a time, after a look at their stores. Commits after each.

    Orders that have since gone on hold, or whose store can't be asked, are settled later.
    """
    submission = settlement.submission
    session = submission.session
    now = submission.context.clock()
    in_store = check_stores(submission, [one.order for one in orders])
    gone = [
        OrderChange(order_id, closed_columns(*finding.closes))
        for order_id, finding in in_store.items()
        if finding.closes
    ]
    settlement.close(gone, now)
    settlement.check_store_later([one for one in orders if in_store[one.order.id].is_unknown], now)
    session.commit()
    documents = [(one, read_stored(document)) for one in orders if (document := in_store[one.order.id].document)]
    documents = _with_fresh_products(settlement, documents)
    book = Rulebook(session)
    book.load([(one.order.store_id, order) for one, order in documents])
    pace = SlowStart(full=1)
    for one, order in documents:
        released, unlisted_since = one.order.released_holds, one.order.unlisted_since
        assessment = book.assess(
            one.order.store_id, order, released=released, edits=one.order.edits, unlisted_since=unlisted_since
        )
        if assessment.holds:
            settlement.ask_later([one], submission.context.clock())
            session.commit()
            continue
        document = in_store[one.order.id].document
        with working_on(order=one.order.number, store=one.order.store_id):
            must_stop = _send(settlement, one, pack(order, assessment)[0], pace, document=document)
        session.commit()
        if must_stop:
            return


def _with_fresh_products(
    settlement: Settlement, documents: Sequence[tuple[Unconfirmed, BigCartelOrder]]
) -> list[tuple[Unconfirmed, BigCartelOrder]]:
    """Read the products of orders that have waited. Return those to send; the others are settled later. Commits."""
    submission = settlement.submission
    waited = submission.waited
    orders = [(one.order, order) for one, order in documents]
    waited.read(waited.needed(orders, submission.context.clock()))
    stale = waited.stale(orders, submission.context.clock())
    settlement.check_store_later([one for one, _ in documents if one.order.id in stale], submission.context.clock())
    submission.session.commit()
    return [(one, order) for one, order in documents if one.order.id not in stale]


def _send(settlement: Settlement, one: Unconfirmed, request: OrderRequest, pace: SlowStart, *, document: str) -> bool:
    """Send one order, packed from its ``document``. Return whether to stop."""
    submission = settlement.submission
    [attempt_id] = attempts.open_attempts(
        submission.session,
        [one.order.id],
        merchant_id=submission.merchant.id,
        kind=AttemptKind.SUBMIT,
        trigger=submission.context.trigger,
        now=submission.context.clock(),
    )
    submission.session.commit()
    if submission.lease.lost:
        raise LeaseLostError(submission.lease.name)
    departed_at = submission.context.clock()
    try:
        accepted = submission.fcp.submit(request)
    except ServiceError as error:
        now = submission.context.clock()
        completion = attempts.failed(attempt_id, AttemptKind.SUBMIT, error, now, departed_at)
        attempts.complete(submission.session, [completion])
        submission.session.commit()
        return _handle_error(settlement, one, error, pace)
    pace.clear()
    submission.warehouse.answered_submission()
    now = submission.context.clock()
    columns = accepted_columns(accepted.order_id, accepted.order_status, now)
    settlement.accept([OrderChange(one.order.id, {**columns, "document": document})], now)
    acknowledge(submission.session, [ChangeAfterSending.order_id == one.order.id], now=now)
    completion = attempts.Completion(
        attempt_id, AttemptOutcome.DONE, now, wording.FOUND, exchange=accepted.exchange, departed_at=departed_at
    )
    attempts.complete(submission.session, [completion])
    return False


def _handle_error(settlement: Settlement, one: Unconfirmed, error: ServiceError, pace: SlowStart) -> bool:
    """Settle the order by its rejection if possible. Return whether to stop."""
    now = settlement.submission.context.clock()
    if isinstance(error, Duplicate) and error.is_certain:
        settlement.accept([OrderChange(one.order.id, accepted_columns("", "", now))], now)
    elif isinstance(error, Rejected) or (
        # If it had accepted the order last time, it would now reject the number as a duplicate.
        isinstance(error, OutcomeUnknown) and one.unclear > 1 and names_the_cause(error.words)
    ):
        settlement.reject([OrderChange(one.order.id, rejected_columns(error.words))], now)
    else:
        settlement.handle_error(error)
        settlement.ask_later([one], now)
        if not settlement.stopped:
            charged = charged_columns(one.order.failures, one.order.first_failed_at, now)
            rewrite(settlement.submission.session, [OrderChange(one.order.id, charged)], state=OrderState.UNCONFIRMED)
    if isinstance(error, OutcomeUnknown):
        return pace.unclear() or bool(settlement.stopped)
    pace.clear()
    return bool(settlement.stopped)
