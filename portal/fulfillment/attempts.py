"""The attempt log: every call that matters to an order gets a row before the call, completed once after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import Table, bindparam, insert, literal, select, update

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
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order
from portal.models.base import chunks
from portal.wording.attempts import NOT_NAMED, asked_about, explain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.fcp import OrderStatus
    from portal.models import Trigger

_table = cast("Table", Attempt.__table__)

_orders = cast("Table", Order.__table__).c
_new = {
    _table.c.merchant_id: _orders.merchant_id,
    _table.c.order_id: _orders.id,
    _table.c.kind: bindparam("kind", type_=_table.c.kind.type),
    _table.c.trigger: bindparam("trigger", type_=_table.c.trigger.type),
    _table.c.started_at: bindparam("now", type_=_table.c.started_at.type),
    _table.c.outcome: literal(AttemptOutcome.OPEN, _table.c.outcome.type),
    **dict.fromkeys((_table.c.words, _table.c.explanation, _table.c.request, _table.c.answer), literal("")),
}
_open = (
    insert(_table)
    .from_select(
        list(_new),
        select(*_new.values())
        .where(_orders.id.in_(bindparam("order_ids", expanding=True)), _orders.merchant_id == bindparam("merchant"))
        .order_by(_orders.id),
    )
    .returning(_table.c.order_id, _table.c.id)
)
"""One statement for any number of orders, on every database; with a row of values for each, SQLite needs one each."""
_complete = (
    update(_table)
    .where(_table.c.id == bindparam("attempt_id"), _table.c.outcome == AttemptOutcome.OPEN)
    .values(
        outcome=bindparam("new_outcome"),
        departed_at=bindparam("new_departed_at"),
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
    """How one attempt ended. ``departed_at`` is when its request left, if it did and we know it."""

    attempt_id: int
    outcome: AttemptOutcome
    finished_at: datetime
    explanation: str
    words: str = ""
    exchange: Exchange | None = None
    departed_at: datetime | None = None


def open_attempts(
    session: Session,
    order_ids: Sequence[int],
    *,
    merchant_id: int,
    kind: AttemptKind,
    trigger: Trigger,
    now: datetime,
) -> Sequence[int]:
    """Write the rows of calls about to be made. The caller commits, then makes the calls.

    Returns the ids of the attempts, in the order of ``order_ids``, which are different orders of the merchant.
    """
    opened: dict[int, int] = {}
    for some in chunks(order_ids):
        given = {"order_ids": some, "merchant": merchant_id, "kind": kind, "trigger": trigger, "now": now}
        rows = session.connection().execute(_open, given)
        opened.update((order_id, attempt_id) for order_id, attempt_id in rows)
    return [opened[order_id] for order_id in order_ids]


def complete(session: Session, completions: Sequence[Completion]) -> None:
    """Complete open attempts, each by its own id. Attempts that are already complete don't change."""
    if completions:
        session.connection().execute(_complete, [_completed(done) for done in completions])


def exchange_for(number: str, status: OrderStatus | None) -> Exchange:
    """Return the part of a bulk status call that is about one order."""
    return Exchange(asked_about(number), status.raw if status is not None else NOT_NAMED, 200)


class Finding(NamedTuple):
    """What a bulk status check found about one order, as a sentence."""

    order_id: int
    explanation: str
    exchange: Exchange


def log_findings(
    session: Session,
    findings: Sequence[Finding],
    *,
    merchant_id: int,
    trigger: Trigger,
    started_at: datetime,
    finished_at: datetime,
) -> None:
    """Write complete rows for the orders about which a bulk status check found something new."""
    ids = [finding.order_id for finding in findings]
    opened = open_attempts(
        session, ids, merchant_id=merchant_id, kind=AttemptKind.STATUS, trigger=trigger, now=started_at
    )
    completions = [
        Completion(attempt_id, AttemptOutcome.DONE, finished_at, finding.explanation, exchange=finding.exchange)
        for attempt_id, finding in zip(opened, findings, strict=True)
    ]
    complete(session, completions)


def _completed(done: Completion) -> dict[str, object]:
    exchange = done.exchange or Exchange(request="")
    return {
        "attempt_id": done.attempt_id,
        "new_outcome": done.outcome,
        "new_departed_at": done.departed_at,
        "at": done.finished_at,
        "new_status": exchange.status,
        "new_words": done.words,
        "new_explanation": done.explanation,
        "new_request": exchange.request,
        "new_answer": exchange.answer,
    }


def failed(
    attempt_id: int,
    kind: AttemptKind,
    error: ServiceError,
    now: datetime,
    departed_at: datetime | None = None,
) -> Completion:
    """Return the completion for a call that raised: its outcome, the service's message, and our explanation."""
    return Completion(
        attempt_id=attempt_id,
        departed_at=None if isinstance(error, NotSent) else departed_at,
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
