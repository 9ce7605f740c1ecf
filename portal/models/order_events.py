"""Write rows of order_events, each in the same transaction as the move it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import JSON, String, bindparam, insert, select

from portal.models.base import IN_CHUNK, Base, UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Insert
    from sqlalchemy.orm import Session

    from portal.models.stored import StoredHold


def insert_of_matching(
    session: Session, rows: Sequence[Mapping[str, object]], conditions: tuple[ColumnElement[bool], ...]
) -> None:
    """Insert one event for each row whose order meets the conditions, and lock those orders until the commit.

    An update under the same conditions, later in the transaction, then changes exactly these orders: on PostgreSQL
    because of the lock, on SQLite because every transaction has the write lock. Each row holds the values that the
    conditions bind, and ``event_at``, ``event_from``, ``event_to``, ``event_reason``, ``event_actor`` and, unless the
    order's own are right, ``event_holds``.
    """
    session.connection().execute(_insert(conditions, with_holds="event_holds" in rows[0]), rows)


def _insert(conditions: tuple[ColumnElement[bool], ...], *, with_holds: bool) -> Insert:
    orders, events = Base.metadata.tables["orders"], Base.metadata.tables["order_events"]
    found = select(
        orders.c.id,
        orders.c.merchant_id,
        bindparam("event_at", type_=UtcDateTime()),
        bindparam("event_from", type_=String()),
        bindparam("event_to", type_=String()),
        bindparam("event_holds", type_=JSON()) if with_holds else orders.c.holds,
        bindparam("event_reason", type_=String()),
        bindparam("event_actor", type_=String()),
    ).where(*conditions)
    names = ["order_id", "merchant_id", "at", "from_state", "to_state", "holds", "reason", "actor"]
    return insert(events).from_select(names, found.with_for_update(key_share=True))


def insert_new(
    session: Session,
    orders: Iterable[tuple[int, int, list[StoredHold]]],
    state: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Insert the events of orders that this transaction inserted: each with its id, merchant and holds."""
    rows = [
        {
            "order_id": order_id,
            "merchant_id": merchant_id,
            "at": now,
            "from_state": None,
            "to_state": state,
            "holds": holds,
            "reason": reason,
            "actor": "",
        }
        for order_id, merchant_id, holds in orders
    ]
    if rows:
        session.connection().execute(insert(Base.metadata.tables["order_events"]), rows)


def lock_holds(session: Session, ids: Sequence[int], state: str) -> dict[int, list[StoredHold]]:
    """Return the holds of those of the orders that are in ``state``, and lock them until the commit."""
    orders = Base.metadata.tables["orders"].c
    found: dict[int, list[StoredHold]] = {}
    for start in range(0, len(ids), IN_CHUNK):
        chosen = (orders.id.in_(ids[start : start + IN_CHUNK]), orders.state == state)
        query = select(orders.id, orders.holds).where(*chosen).order_by(orders.id).with_for_update(key_share=True)
        found |= {row.id: row.holds for row in session.connection().execute(query)}
    return found


def are_same(before: Sequence[StoredHold], after: Sequence[StoredHold]) -> bool:
    """Return whether these are the same holds, in any order: that of Big Cartel's items may vary."""
    return _key(before) == _key(after)


def _key(holds: Sequence[StoredHold]) -> list[tuple[str, str]]:
    return sorted((hold["reason"], hold["detail"]) for hold in holds)
