"""The states of an order, the moves between them that are allowed, and the one function that moves."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, Update, bindparam, update

from portal.models.base import Base

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session


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


_S = OrderState

TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    _S.HELD: frozenset({_S.READY, _S.CLOSED}),
    _S.READY: frozenset({_S.HELD, _S.SUBMITTING, _S.CLOSED}),
    # Back to ready only when the request certainly never left.
    _S.SUBMITTING: frozenset({_S.READY, _S.SUBMITTED, _S.REJECTED, _S.UNCONFIRMED}),
    # Back to ready only when the FCP says that it has no such order.
    _S.UNCONFIRMED: frozenset({_S.READY, _S.SUBMITTED, _S.REJECTED}),
    # A person asks: once more (held first: it is looked at again like a new order), or never.
    _S.REJECTED: frozenset({_S.HELD, _S.CLOSED}),
    # In doubt again when the FCP has lost it and a person asks: its status alone lets it leave once more.
    _S.SUBMITTED: frozenset({_S.SHIPPED, _S.CLOSED, _S.UNCONFIRMED}),
    _S.SHIPPED: frozenset({_S.COMPLETED, _S.CLOSED}),
    _S.COMPLETED: frozenset(),
    # A person reopens an order that was closed before it was sent.
    _S.CLOSED: frozenset({_S.HELD}),
}

NOT_SENT = frozenset({_S.HELD, _S.READY})
AT_THE_WAREHOUSE = frozenset({_S.SUBMITTED, _S.SHIPPED, _S.COMPLETED})
FINAL = frozenset({_S.COMPLETED, _S.CLOSED})
REOPENED_BY_RETRY = frozenset({_S.REJECTED, _S.CLOSED})
"""States that an order leaves when a person retries it; it is then assessed like a new one."""


class IllegalMoveError(Exception):
    """The table of transitions does not know this move: a defect of the caller."""


def move(
    session: Session,
    changes: Sequence[Mapping[str, Any]],
    *,
    frm: OrderState,
    to: OrderState,
    now: datetime,
    claim: str | None = None,
) -> int:
    """Move orders to their next state, if each is still in the state (and claim) in which the caller saw it.

    ``changes`` holds one mapping per order, all with the same keys: ``id`` and the columns to set with the move;
    a key ``seen_<column>`` sets nothing: the order moves only while the column still has that value.
    Returns how many moved; an order that another process moved first stays as it is. The caller commits.
    """
    if to not in TRANSITIONS[frm]:
        raise IllegalMoveError(f"No order moves from {frm} to {to}.")
    if not changes:
        return 0
    seen = tuple(sorted(name for name in changes[0] if name.startswith("seen_")))
    columns = tuple(sorted(changes[0].keys() - {"id", *seen}))
    rows = [
        {f"new_{column}": change[column] for column in columns}
        | {name: change[name] for name in seen}
        | {"the_id": change["id"], "new_state": to, "moved_at": now, "frm": frm, "the_claim": claim}
        for change in changes
    ]
    statement = _statement(columns, seen, with_claim=claim is not None)
    if claim is None:
        for row in rows:
            del row["the_claim"]
    result = cast("CursorResult[Any]", session.connection().execute(statement, rows))
    return result.rowcount


@lru_cache(maxsize=64)
def _statement(columns: tuple[str, ...], seen: tuple[str, ...], *, with_claim: bool) -> Update:
    table = Base.metadata.tables["orders"]
    statement = update(table).where(table.c.id == bindparam("the_id"), table.c.state == bindparam("frm"))
    for name in seen:
        statement = statement.where(table.c[name.removeprefix("seen_")].is_not_distinct_from(bindparam(name)))
    if with_claim:
        statement = statement.where(table.c.claim == bindparam("the_claim"))
    return statement.values(
        state=bindparam("new_state"),
        state_changed_at=bindparam("moved_at"),
        **{column: bindparam(f"new_{column}") for column in columns},
    )
