"""Settling what is in doubt: the warehouse is asked for the order; only its clear no lets the order leave again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from portal.clients.bigcartel import read_stored
from portal.clients.errors import Duplicate, NotFound, NotSent, OutcomeUnknown, Refused, ServiceError, Unauthorized
from portal.clients.fcp import MAX_STATUSES, names_the_cause
from portal.fulfillment import attempts
from portal.fulfillment.clients import credentials_refused
from portal.fulfillment.outcomes import accepted_columns, failure_columns, fcp_answered, fcp_failed, rejected_columns
from portal.fulfillment.rulebook import Rulebook
from portal.fulfillment.submit.drain import CONTENTS, GIVE_WAY_AFTER
from portal.models import Attempt, AttemptKind, AttemptOutcome, Merchant, Order, OrderState
from portal.models.states import move
from portal.rules import backoff
from portal.rules.packing import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from portal.clients.fcp import Fcp, OrderStatus
    from portal.engine.leases import HeldLease
    from portal.models import Trigger

log = logging.getLogger(__name__)

STATUS_LAG = timedelta(seconds=30)
"""So long after an order was sent, the warehouse's "I do not have it" may only mean "not yet"."""
MAX_CONTRADICTIONS = 3
"""So often an order is sent again that the FCP refuses as a duplicate and does not have; then a person decides."""


@dataclass(slots=True)
class Settled:
    """What one round found, as numbers of orders."""

    found: int = 0
    missing: int = 0
    """The warehouse does not have them: they are ready to be sent again."""
    refused: int = 0
    open: int = 0
    """Still in doubt."""
    wait_until: datetime | None = None
    """When the youngest of those still in doubt may be believed to be missing."""
    unclear: str = ""
    """Why some could not be settled although the warehouse can be reached."""
    stopped: str = ""
    """Why nothing can be sent now."""


def recover(session: Session, merchant: Merchant, lease: HeldLease, clock: Callable[[], datetime]) -> int:
    """Put in doubt what a dead worker left half-way, and end its attempts. Returns how many orders; commits.

    Call it with the merchant's submission lease in hand: whatever is being submitted under another owner is then
    nobody's any more.
    """
    now = clock()
    ids = session.scalars(
        select(Order.id).where(
            Order.merchant_id == merchant.id, Order.state == OrderState.SUBMITTING, Order.claim != lease.owner
        )
    ).all()
    in_doubt = session.scalars(
        select(Order.id)
        .join(Attempt, Attempt.order_id == Order.id)
        .where(
            Order.merchant_id == merchant.id,
            Order.state == OrderState.UNCONFIRMED,
            Attempt.kind == AttemptKind.SUBMIT,
            Attempt.outcome == AttemptOutcome.OPEN,
        )
    ).all()
    move(
        session,
        [{"id": order_id, "claim": "", "next_attempt_at": now} for order_id in ids],
        frm=OrderState.SUBMITTING,
        to=OrderState.UNCONFIRMED,
        now=now,
    )
    attempts.complete(
        session,
        AttemptKind.SUBMIT,
        [
            attempts.Completion(order_id, AttemptOutcome.INTERRUPTED, now, _INTERRUPTED)
            for order_id in (*ids, *in_doubt)
        ],
    )
    session.commit()
    if ids:
        log.warning("settlement.recovered", extra={"merchant": merchant.id, "orders": len(ids)})
    return len(ids)


_INTERRUPTED = "Our worker stopped before the answer came. We are asking the warehouse whether it has the order."


def settle(
    session: Session,
    merchant: Merchant,
    fcp: Fcp,
    *,
    clock: Callable[[], datetime],
    trigger: Trigger,
    ignore_back_off: bool = False,
) -> Settled:
    """Ask the FCP for every order in doubt and settle it. A failed call never raises; commits as it goes.

    What cannot be settled is asked for later, and keeps no other order from being sent.
    """
    done = Settled()
    last_id = 0
    while not (done.stopped or done.unclear):
        rows = _in_doubt(session, merchant.id, clock(), last_id, ignore_back_off=ignore_back_off)
        if not rows:
            break
        last_id = rows[-1].id
        _settle_some(session, merchant, fcp, rows, done, clock, trigger)
    session.commit()
    return done


def _in_doubt(
    session: Session, merchant_id: int, now: datetime, last_id: int, *, ignore_back_off: bool
) -> Sequence[Row[*tuple[Any, ...]]]:
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
        .label("duplicates")
    )
    query = (
        select(*CONTENTS, Attempt.started_at.label("sent_at"), Attempt.outcome, Attempt.words, duplicates)
        .outerjoin(Attempt, Attempt.id == last_sent)
        .where(Order.merchant_id == merchant_id, Order.state == OrderState.UNCONFIRMED, Order.id > last_id)
    )
    if not ignore_back_off:
        query = query.where(Order.next_attempt_at <= now)
    return session.execute(query.order_by(Order.id).limit(MAX_STATUSES)).all()


def _settle_some(
    session: Session,
    merchant: Merchant,
    fcp: Fcp,
    rows: Sequence[Row[*tuple[Any, ...]]],
    done: Settled,
    clock: Callable[[], datetime],
    trigger: Trigger,
) -> None:
    attempts.open_attempts(
        session,
        [row.id for row in rows],
        merchant_id=merchant.id,
        kind=AttemptKind.STATUS,
        trigger=trigger,
        now=clock(),
    )
    session.commit()
    try:
        statuses = fcp.statuses([row.number for row in rows])
    except NotFound as error:
        _record_failure(session, rows, error, clock())
        session.commit()
        _by_number(session, merchant, fcp, rows, done, clock, trigger)
    except ServiceError as error:
        now = clock()
        _record_failure(session, rows, error, now)
        _stay_in_doubt(session, rows, now)
        done.open += len(rows)
        _note(session, merchant, error, done, now)
        session.commit()
    else:
        fcp_answered(merchant)
        _by_status(session, rows, statuses, done, clock())
        session.commit()


def _by_status(
    session: Session,
    rows: Sequence[Row[*tuple[Any, ...]]],
    statuses: dict[str, OrderStatus],
    done: Settled,
    now: datetime,
) -> None:
    found, missing, refused, completions = [], [], [], []
    for row in rows:
        status = statuses.get(row.number)
        if status is not None:
            found.append({"id": row.id, **accepted_columns(status.order_id, status.status, now)})
            sentence = f"The warehouse has the order: {status.status or 'no status given'}."
        elif row.sent_at is not None and row.sent_at + STATUS_LAG > now:
            done.open += 1
            _set(session, row.id, next_attempt_at=row.sent_at + STATUS_LAG)
            sentence = "The warehouse does not have the order yet. We ask once more before it is sent again."
            done.wait_until = max(done.wait_until or now, row.sent_at + STATUS_LAG)
        elif row.outcome is AttemptOutcome.DUPLICATE and row.duplicates > MAX_CONTRADICTIONS:
            refused.append({"id": row.id, **rejected_columns(row.words)})
            sentence = "The warehouse does not have the order, and still refuses its number. It is not sent again."
        elif row.outcome is AttemptOutcome.UNKNOWN and row.failures and names_the_cause(row.words):
            refused.append({"id": row.id, **rejected_columns(row.words)})
            sentence = "The warehouse does not have the order, and has said why more than once. It is not sent again."
        else:
            missing.append({"id": row.id, **_tried_again(row, now)})
            sentence = "The warehouse does not have the order. It is sent again."
        exchange = attempts.about_one(row.number, status)
        completions.append(attempts.Completion(row.id, AttemptOutcome.DONE, now, sentence, exchange=exchange))
    done.found += move(session, found, frm=OrderState.UNCONFIRMED, to=OrderState.SUBMITTED, now=now)
    done.missing += move(session, missing, frm=OrderState.UNCONFIRMED, to=OrderState.READY, now=now)
    done.refused += move(session, refused, frm=OrderState.UNCONFIRMED, to=OrderState.REJECTED, now=now)
    attempts.complete(session, AttemptKind.STATUS, completions)


def _tried_again(row: Row[*tuple[Any, ...]], now: datetime) -> dict[str, Any]:
    """One more failure; but what our own worker left half-way once need not wait."""
    columns = failure_columns(row.failures, row.first_failed_at, now)
    if row.outcome is AttemptOutcome.INTERRUPTED and not row.failures:
        columns["next_attempt_at"] = now
    return columns


def _by_number(
    session: Session,
    merchant: Merchant,
    fcp: Fcp,
    rows: Sequence[Row[*tuple[Any, ...]]],
    done: Settled,
    clock: Callable[[], datetime],
    trigger: Trigger,
) -> None:
    """Without a status call: the FCP refuses a number it has; "accepted" and "duplicate" both prove it is there."""
    book = Rulebook(session)
    orders = [(row, read_stored(row.document)) for row in rows]
    book.learn([(row.store_id, order) for row, order in orders])
    unclear_in_a_row = 0
    for row, order in orders:
        assessment = book.assess(row.store_id, order, released=row.released)
        if assessment.holds:
            done.open += 1
            _stay_in_doubt(session, [row], clock())
            session.commit()
            continue
        request, _ = pack(order, assessment)
        attempts.open_attempts(
            session, [row.id], merchant_id=merchant.id, kind=AttemptKind.SUBMIT, trigger=trigger, now=clock()
        )
        session.commit()
        try:
            accepted = fcp.submit(request)
        except ServiceError as error:
            completion = attempts.failed(row.id, AttemptKind.SUBMIT, error, clock())
            _by_refusal(session, merchant, row, error, done, clock())
            unclear_in_a_row = unclear_in_a_row + 1 if isinstance(error, OutcomeUnknown) else 0
        else:
            unclear_in_a_row = 0
            now = clock()
            completion = attempts.Completion(
                row.id, AttemptOutcome.DONE, now, "The warehouse has the order.", exchange=accepted.exchange
            )
            columns = accepted_columns(accepted.order_id, accepted.order_status, now)
            done.found += move(
                session,
                [{"id": row.id, **columns}],
                frm=OrderState.UNCONFIRMED,
                to=OrderState.SUBMITTED,
                now=now,
            )
        attempts.complete(session, AttemptKind.SUBMIT, [completion])
        session.commit()
        if done.stopped or unclear_in_a_row >= GIVE_WAY_AFTER:
            return


def _by_refusal(
    session: Session, merchant: Merchant, row: Row[*tuple[Any, ...]], error: ServiceError, done: Settled, now: datetime
) -> None:
    if isinstance(error, Duplicate) and error.is_certain:
        change = [{"id": row.id, **accepted_columns("", "", now)}]
        done.found += move(session, change, frm=OrderState.UNCONFIRMED, to=OrderState.SUBMITTED, now=now)
    elif isinstance(error, Refused) or (
        # Had it taken the order the time before, it would now refuse the number.
        isinstance(error, OutcomeUnknown) and row.failures and names_the_cause(error.words)
    ):
        change = [{"id": row.id, **rejected_columns(error.words)}]
        done.refused += move(session, change, frm=OrderState.UNCONFIRMED, to=OrderState.REJECTED, now=now)
    else:
        done.open += 1
        if not isinstance(error, Unauthorized):
            _stay_in_doubt(session, [row], now)
        _note(session, merchant, error, done, now)


def _note(session: Session, merchant: Merchant, error: ServiceError, done: Settled, now: datetime) -> None:
    """What an answer that settles nothing means for the merchant's other orders."""
    if isinstance(error, Unauthorized):
        done.stopped = str(error)
        credentials_refused(session, merchant, merchant.sealed_token, error, now)
    elif isinstance(error, NotSent):
        done.stopped = str(error)
        fcp_failed(merchant, error, now)
    else:
        done.unclear = str(error)
        log.warning("settlement.unclear", extra={"merchant": merchant.id, "error": str(error)})


def _record_failure(
    session: Session, rows: Sequence[Row[*tuple[Any, ...]]], error: ServiceError, now: datetime
) -> None:
    completions = [attempts.failed(row.id, AttemptKind.STATUS, error, now) for row in rows]
    attempts.complete(session, AttemptKind.STATUS, completions)


def _stay_in_doubt(session: Session, rows: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> None:
    """An order in doubt is never given up: it is asked for later and later, at least hourly."""
    for row in rows:
        failures = row.failures + 1
        _set(session, row.id, failures=failures, next_attempt_at=backoff.later(failures, now))


def _set(session: Session, order_id: int, **columns: Any) -> None:
    session.execute(
        update(Order).where(Order.id == order_id, Order.state == OrderState.UNCONFIRMED).values(**columns),
        execution_options={"synchronize_session": False},
    )
