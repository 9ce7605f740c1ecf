"""Order states, the allowed transitions, and the one function that moves orders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import Update, bindparam, select, update

from portal.models import order_events
from portal.models.base import Base, chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import BindParameter, ColumnElement, CursorResult
    from sqlalchemy.orm import Session

    from portal.models.stored import StoredEdits, StoredHold, StoredLine


class OrderState(StrEnum):
    HELD = "held"
    READY = "ready"
    SUBMITTING = "submitting"
    UNCONFIRMED = "unconfirmed"
    REJECTED = "rejected"
    SUBMITTED = "submitted"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CLOSED = "closed"


class ClosedBecause(StrEnum):
    """Who or what closed an order. If the signal is taken back, it opens again, except what a person closed."""

    PERSON = "person"
    MARKED = "marked"
    """Marked as shipped in Big Cartel before we sent it."""
    GONE = "gone"
    """No longer in Big Cartel."""
    CANCELED = "canceled"
    """Canceled at the warehouse."""
    SHIPPED_BUT_GONE = "shipped_but_gone"
    """Shipped by the warehouse, and no longer in Big Cartel."""


_S = OrderState

TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    # To unconfirmed, here and below, after a restore: it may have been sent since the backup was made.
    _S.HELD: frozenset({_S.READY, _S.CLOSED, _S.UNCONFIRMED}),
    _S.READY: frozenset({_S.HELD, _S.SUBMITTING, _S.CLOSED, _S.UNCONFIRMED}),
    # Back to ready only if the request was definitely never sent.
    _S.SUBMITTING: frozenset({_S.READY, _S.SUBMITTED, _S.REJECTED, _S.UNCONFIRMED}),
    # Back to ready only if the FCP says it has no such order; closed if the store no longer has it either.
    _S.UNCONFIRMED: frozenset({_S.READY, _S.SUBMITTED, _S.REJECTED, _S.CLOSED}),
    # A person retries the order (held first, to be assessed like a new one) or closes it.
    _S.REJECTED: frozenset({_S.HELD, _S.CLOSED, _S.UNCONFIRMED}),
    # To unconfirmed when a person retries an order that the FCP lost: only a status check can clear it for sending.
    _S.SUBMITTED: frozenset({_S.SHIPPED, _S.CLOSED, _S.UNCONFIRMED}),
    _S.SHIPPED: frozenset({_S.COMPLETED, _S.CLOSED}),
    _S.COMPLETED: frozenset(),
    # A person retries an order that was closed before it was sent, or a signal was taken back: Big Cartel lists the
    # order as unshipped again, or the FCP no longer shows it as canceled.
    _S.CLOSED: frozenset({_S.HELD, _S.REJECTED, _S.SUBMITTED, _S.SHIPPED}),
}

LEAVES_NO_EVENT: Mapping[tuple[OrderState, OrderState], str] = {
    (_S.READY, _S.SUBMITTING): "The attempt's start says it.",
    (_S.SUBMITTING, _S.SUBMITTED): "The attempt's outcome says it.",
    (_S.SUBMITTING, _S.READY): "The attempt says that the order was not sent, and why.",
}
"""The moves that leave no row in order_events, each with the reason. Every order that is sent makes them."""

NOT_SENT = frozenset({_S.HELD, _S.READY})
OURS_TO_SEND = NOT_SENT | {_S.REJECTED}
MAY_COME_BACK = frozenset({_S.UNCONFIRMED, _S.SUBMITTED})
"""States in which the warehouse may turn out not to have the order.

Changes in Big Cartel are still saved, in case it has to be sent again.
"""
AT_THE_WAREHOUSE = frozenset({_S.SUBMITTED, _S.SHIPPED, _S.COMPLETED})
BY_BIG_CARTEL = frozenset({ClosedBecause.MARKED, ClosedBecause.GONE, ClosedBecause.SHIPPED_BUT_GONE})
"""Why an order is closed that opens again if Big Cartel lists it as unshipped."""
FINAL = frozenset({_S.COMPLETED, _S.CLOSED})
REOPENED_BY_RETRY = frozenset({_S.REJECTED, _S.CLOSED})
"""States in which a retry by a person moves the order to held, where it is assessed like a new one."""


class OrderColumns(TypedDict, total=False):
    """Order columns that can be set with a move, or without one."""

    document: str
    placed_at: datetime | None
    updated_at: datetime | None
    unlisted_since: datetime | None
    holds: list[StoredHold]
    lines: list[StoredLine]
    shipping_code: str
    service: str
    assessed_at: datetime | None
    edits: StoredEdits | None
    state_reason: str
    closed_because: ClosedBecause | None
    claim: str
    next_attempt_at: datetime | None
    failures: int
    first_failed_at: datetime | None
    fcp_order_id: str
    fcp_status: str
    fcp_missing_since: datetime | None
    submitted_at: datetime | None
    shipped_on: str
    carrier: str
    tracking_numbers: list[str]
    completed_at: datetime | None
    purged_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderChange:
    """Columns to set on one order; ``assessed_at`` is the time of the last assessment that the caller saw.

    ``reason`` says why, as a phrase, and ``actor`` is who did it, "" if it happened automatically: for its history.
    """

    order_id: int
    columns: OrderColumns
    assessed_at: datetime | None = None
    reason: str = ""
    actor: str = ""


class IllegalMoveError(Exception):
    """The move is not in TRANSITIONS: a bug in the caller."""


def move(
    session: Session,
    changes: Sequence[OrderChange],
    *,
    from_state: OrderState,
    to_state: OrderState,
    now: datetime,
    claim: str | None = None,
    if_not_assessed_since: bool = False,
) -> int:
    """Move orders that are still in ``from_state`` (and still have the claim, if given) to ``to_state``.

    All changes must set the same columns. Skips orders that another process moved first and, with
    ``if_not_assessed_since``, orders that were assessed again after their change was made. Every order that moves
    leaves an event in its history, except as LEAVES_NO_EVENT says. Returns how many moved. The caller commits. Raises
    IllegalMoveError.
    """
    if to_state not in TRANSITIONS[from_state]:
        raise IllegalMoveError(f"No order moves from {from_state} to {to_state}.")
    kind = _Update(from_state, claim=claim, to_state=to_state, check_assessed=if_not_assessed_since)
    changes = _in_lock_order(changes)
    if (from_state, to_state) not in LEAVES_NO_EVENT:
        _leave_events(session, [(change, now) for change in changes], kind, to_state)
    return _update(session, changes, kind, now)


def rewrite(session: Session, changes: Sequence[OrderChange], *, state: OrderState) -> int:
    """Set columns of orders that are still in ``state``, without moving them. Return how many; the caller commits.

    All changes must set the same columns. A held order whose hold reasons change leaves an event, too.
    """
    kind = _Update(state)
    changes = _in_lock_order(changes)
    if state is OrderState.HELD:
        _leave_events_of_holds(session, changes, kind)
    return _update(session, changes, kind, None)


def lock(session: Session, order_ids: Collection[int]) -> None:
    """Lock the orders until the commit, in the sequence of their ids, as every single move does.

    For a transaction that moves or rewrites orders in several steps: two such workers then wait for each other instead
    of a deadlock. On SQLite, a transaction that writes is alone anyway.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    table = Base.metadata.tables["orders"].c
    for some in chunks(sorted(order_ids)):
        query = select(table.id).where(table.id.in_(some)).order_by(table.id).with_for_update(key_share=True)
        session.connection().execute(query).all()


def _in_lock_order(changes: Sequence[OrderChange]) -> list[OrderChange]:
    """Sort by id: two workers that change the same orders then wait for each other instead of a deadlock."""
    return sorted(changes, key=lambda change: change.order_id)


@dataclass(frozen=True, slots=True)
class _Update:
    from_state: OrderState
    claim: str | None = None
    to_state: OrderState | None = None
    check_assessed: bool = False

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """Return what must be true of an order to be updated."""
        return _conditions(with_claim=self.claim is not None, check_assessed=self.check_assessed)

    def seen(self, change: OrderChange) -> dict[str, object]:
        """Return the values that the conditions compare with."""
        found: dict[str, object] = {"seen_id": change.order_id, "seen_state": self.from_state}
        if self.claim is not None:
            found["seen_claim"] = self.claim
        if self.check_assessed:
            found["seen_assessed_at"] = change.assessed_at
        return found


def _conditions(*, with_claim: bool, check_assessed: bool) -> tuple[ColumnElement[bool], ...]:
    table = Base.metadata.tables["orders"].c
    found: list[ColumnElement[bool]] = [table.id == bindparam("seen_id"), table.state == bindparam("seen_state")]
    if with_claim:
        found.append(table.claim == bindparam("seen_claim"))
    if check_assessed:
        found.append(table.assessed_at.is_not_distinct_from(bindparam("seen_assessed_at")))
    return tuple(found)


def _update(session: Session, changes: Sequence[OrderChange], kind: _Update, now: datetime | None) -> int:
    if not changes:
        return 0
    columns = tuple(sorted(changes[0].columns))
    fixed: dict[str, object] = {} if kind.to_state is None else {"new_state": kind.to_state, "moved_at": now}
    rows = []
    for change in changes:
        values: Mapping[str, object] = change.columns
        if len(values) != len(columns):
            raise ValueError("All changes of one move must set the same columns.")
        row = {f"new_{column}": values[column] for column in columns}
        rows.append(row | fixed | kind.seen(change))
    statement = _statement(
        columns,
        moves=kind.to_state is not None,
        with_claim=kind.claim is not None,
        check_assessed=kind.check_assessed,
    )
    result: CursorResult[tuple[()]] = session.connection().execute(statement, rows)
    return result.rowcount


@lru_cache(maxsize=128)
def _statement(columns: tuple[str, ...], *, moves: bool, with_claim: bool, check_assessed: bool) -> Update:
    values: dict[str, BindParameter[object]] = {column: bindparam(f"new_{column}") for column in columns}
    if moves:
        values |= {"state": bindparam("new_state"), "state_changed_at": bindparam("moved_at")}
    conditions = _conditions(with_claim=with_claim, check_assessed=check_assessed)
    return update(Base.metadata.tables["orders"]).where(*conditions).values(values)


def _leave_events_of_holds(session: Session, changes: Sequence[OrderChange], kind: _Update) -> None:
    """Insert an event for each order whose hold reasons will change, at the time of the assessment that found them."""
    assessed = {change.order_id: change for change in changes if "holds" in change.columns}
    before = order_events.lock_holds(session, list(assessed), kind.from_state)
    changed = []
    for order_id, holds in before.items():
        columns = assessed[order_id].columns
        at = columns["assessed_at"]
        if at is not None and not order_events.are_same(holds, columns["holds"]):
            changed.append((assessed[order_id], at))
    _leave_events(session, changed, kind, kind.from_state)


def _leave_events(
    session: Session, changes: Sequence[tuple[OrderChange, datetime]], kind: _Update, to_state: OrderState
) -> None:
    """Insert the events of the orders that an update is about to change, each with its time."""
    rows = []
    for change, at in changes:
        row = kind.seen(change) | {"event_at": at, "event_from": kind.from_state, "event_to": to_state}
        row |= {"event_reason": change.reason or _why(change, to_state), "event_actor": change.actor}
        if "holds" in change.columns:
            row["event_holds"] = change.columns["holds"]
        rows.append(row)
    if rows:
        order_events.insert_of_matching(session, rows, kind.conditions())


def _why(change: OrderChange, to_state: OrderState) -> str:
    """Return why an order is closed. Why it is rejected is not repeated: the warehouse's words may name the buyer."""
    return change.columns.get("state_reason", "") if to_state is OrderState.CLOSED else ""
