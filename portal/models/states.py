"""Order states, the allowed transitions, and the one function that moves orders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import Update, bindparam, update

from portal.models.base import Base

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import BindParameter, CursorResult
    from sqlalchemy.orm import Session

    from portal.models.stored import StoredHold, StoredLine


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
    _S.HELD: frozenset({_S.READY, _S.CLOSED}),
    _S.READY: frozenset({_S.HELD, _S.SUBMITTING, _S.CLOSED}),
    # Back to ready only if the request was definitely never sent.
    _S.SUBMITTING: frozenset({_S.READY, _S.SUBMITTED, _S.REJECTED, _S.UNCONFIRMED}),
    # Back to ready only if the FCP says it has no such order; closed if the store no longer has it either.
    _S.UNCONFIRMED: frozenset({_S.READY, _S.SUBMITTED, _S.REJECTED, _S.CLOSED}),
    # A person retries the order (held first, to be assessed like a new one) or closes it.
    _S.REJECTED: frozenset({_S.HELD, _S.CLOSED}),
    # To unconfirmed when a person retries an order that the FCP lost: only a status check can clear it for sending.
    _S.SUBMITTED: frozenset({_S.SHIPPED, _S.CLOSED, _S.UNCONFIRMED}),
    _S.SHIPPED: frozenset({_S.COMPLETED, _S.CLOSED}),
    _S.COMPLETED: frozenset(),
    # A person retries an order that was closed before it was sent, or a signal was taken back: Big Cartel lists the
    # order as unshipped again, or the FCP no longer shows it as canceled.
    _S.CLOSED: frozenset({_S.HELD, _S.REJECTED, _S.SUBMITTED, _S.SHIPPED}),
}

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
    """Columns to set on one order; ``assessed_at`` is the time of the last assessment that the caller saw."""

    order_id: int
    columns: OrderColumns
    assessed_at: datetime | None = None


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
    ``if_not_assessed_since``, orders that were assessed again after their change was made. Returns how many moved. The
    caller commits. Raises IllegalMoveError.
    """
    if to_state not in TRANSITIONS[from_state]:
        raise IllegalMoveError(f"No order moves from {from_state} to {to_state}.")
    return _update(
        session, changes, _Update(from_state, claim=claim, to_state=to_state, check_assessed=if_not_assessed_since), now
    )


def rewrite(session: Session, changes: Sequence[OrderChange], *, state: OrderState) -> int:
    """Set columns of orders that are still in ``state``, without moving them. Return how many; the caller commits.

    All changes must set the same columns.
    """
    return _update(session, changes, _Update(state), None)


@dataclass(frozen=True, slots=True)
class _Update:
    from_state: OrderState
    claim: str | None = None
    to_state: OrderState | None = None
    check_assessed: bool = False


def _update(session: Session, changes: Sequence[OrderChange], kind: _Update, now: datetime | None) -> int:
    if not changes:
        return 0
    columns = tuple(sorted(changes[0].columns))
    fixed: dict[str, object] = {"from_state": kind.from_state}
    if kind.to_state is not None:
        fixed |= {"to_state": kind.to_state, "moved_at": now}
    if kind.claim is not None:
        fixed["seen_claim"] = kind.claim
    rows = []
    for change in changes:
        values: Mapping[str, object] = change.columns
        if len(values) != len(columns):
            raise ValueError("All changes of one move must set the same columns.")
        row = {f"new_{column}": values[column] for column in columns}
        row |= fixed
        row["order_id"] = change.order_id
        if kind.check_assessed:
            row["seen_assessed_at"] = change.assessed_at
        rows.append(row)
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
    table = Base.metadata.tables["orders"]
    statement = update(table).where(table.c.id == bindparam("order_id"), table.c.state == bindparam("from_state"))
    if with_claim:
        statement = statement.where(table.c.claim == bindparam("seen_claim"))
    if check_assessed:
        statement = statement.where(table.c.assessed_at.is_not_distinct_from(bindparam("seen_assessed_at")))
    values: dict[str, BindParameter[object]] = {column: bindparam(f"new_{column}") for column in columns}
    if moves:
        values |= {"state": bindparam("to_state"), "state_changed_at": bindparam("moved_at")}
    return statement.values(values)
