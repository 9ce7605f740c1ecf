"""The attempt log: every call that matters to an order gets a row before the call, completed once after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, bindparam, insert, update

from portal.clients.errors import (
    Duplicate,
    Exchange,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Unauthorized,
)
from portal.models import Attempt, AttemptKind, AttemptOutcome
from portal.wording.attempts import NOT_NAMED, asked_about, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.fcp import OrderStatus
    from portal.models import Trigger

_table = cast("Table", Attempt.__table__)

_complete = (
    update(_table)
    .where(
        _table.c.order_id == bindparam("of_order"),
        _table.c.kind == bindparam("of_kind"),
        _table.c.outcome == AttemptOutcome.OPEN,
    )
    .values(
        outcome=bindparam("new_outcome"),
        finished_at=bindparam("at"),
        http_status=bindparam("new_status"),
        words=bindparam("new_words"),
        explanation=bindparam("new_explanation"),
        request=bindparam("new_request"),
        answer=bindparam("new_answer"),
    )
)


@dataclass(frozen=True, slots=True)
class Completion:
    """How one attempt ended."""

    order_id: int
    outcome: AttemptOutcome
    finished_at: datetime
    explanation: str
    words: str = ""
    exchange: Exchange | None = None


def open_attempts(
    session: Session,
    order_ids: Iterable[int],
    *,
    merchant_id: int,
    kind: AttemptKind,
    trigger: Trigger,
    now: datetime,
) -> None:
    """Write the rows of calls about to be made. The caller commits, then makes the calls."""
    rows = [
        {
            "merchant_id": merchant_id,
            "order_id": order_id,
            "kind": kind,
            "trigger": trigger,
            "started_at": now,
            "outcome": AttemptOutcome.OPEN,
            "words": "",
            "explanation": "",
            "request": "",
            "answer": "",
        }
        for order_id in order_ids
    ]
    if rows:
        session.connection().execute(insert(_table), rows)


def complete(session: Session, kind: AttemptKind, completions: Sequence[Completion]) -> None:
    """Complete the open attempt of each order. Attempts that are already complete don't change."""
    if completions:
        session.connection().execute(_complete, [_completed(kind, done) for done in completions])


def exchange_for(number: str, status: OrderStatus | None) -> Exchange:
    """Return the part of a bulk status call that is about one order."""
    return Exchange(asked_about(number), status.raw if status is not None else NOT_NAMED, 200)


def log_finished(
    session: Session,
    completions: Sequence[Completion],
    *,
    merchant_id: int,
    kind: AttemptKind,
    trigger: Trigger,
    started_at: datetime,
) -> None:
    """Write the rows of calls that are logged only if they found something, such as bulk status checks."""
    if completions:
        ids = [done.order_id for done in completions]
        open_attempts(session, ids, merchant_id=merchant_id, kind=kind, trigger=trigger, now=started_at)
        complete(session, kind, completions)


def _completed(kind: AttemptKind, done: Completion) -> dict[str, object]:
    exchange = done.exchange or Exchange(request="")
    return {
        "of_order": done.order_id,
        "of_kind": kind,
        "new_outcome": done.outcome,
        "at": done.finished_at,
        "new_status": exchange.status,
        "new_words": done.words,
        "new_explanation": done.explanation,
        "new_request": exchange.request,
        "new_answer": exchange.answer,
    }


def failed(order_id: int, kind: AttemptKind, error: ServiceError, now: datetime) -> Completion:
    """Return the completion for a call that raised: its outcome, the service's message, and our explanation."""
    return Completion(
        order_id=order_id,
        outcome=_outcome(error),
        finished_at=now,
        explanation=explain(error, kind),
        words=error.words,
        exchange=error.exchange,
    )


_OUTCOMES: tuple[tuple[type[ServiceError], AttemptOutcome], ...] = (
    (Duplicate, AttemptOutcome.DUPLICATE),
    (NotFound, AttemptOutcome.NOT_FOUND),
    (Rejected, AttemptOutcome.REFUSED),
    (Unauthorized, AttemptOutcome.UNAUTHORIZED),
    (NotSent, AttemptOutcome.NOT_SENT),
    (OutcomeUnknown, AttemptOutcome.UNKNOWN),
)


def _outcome(error: ServiceError) -> AttemptOutcome:
    return next(outcome for kind, outcome in _OUTCOMES if isinstance(error, kind))
