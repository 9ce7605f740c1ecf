"""Changes in Big Cartel to orders that were already sent: noted once each, until somebody has seen to them.

What a person can still act on is open: ``acknowledged_at`` is None. Once the order has shipped, is closed, or is packed
again from its new document, nothing is left to do, so its changes are no longer open. They stay on the timeline.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update

from portal.models import ChangeAfterSending, Order, OrderState
from portal.models.base import IN_CHUNK
from portal.models.states import MAY_COME_BACK, OrderChange, rewrite
from portal.models.stored import StoredDifference
from portal.rules.difference import ORDER_STATUS, Difference, merged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.models.states import OrderColumns

log = logging.getLogger(__name__)

ACTIONABLE = MAY_COME_BACK | {OrderState.SUBMITTING}
"""States in which the parcel may still be changed."""


class SeenChange(NamedTuple):
    """A change to an order that was in ``state`` when we read it. ``columns`` keep it from being seen again."""

    order_id: int
    merchant_id: int
    state: OrderState
    columns: OrderColumns
    fields: Sequence[Difference]


def note(session: Session, seen: Iterable[SeenChange], now: datetime) -> int:
    """Store each change together with its columns, unless the order has left its state. Return how many.

    A change that was taken back closes what was open. The caller commits.
    """
    noted = []
    for one in seen:
        if not rewrite(session, [OrderChange(one.order_id, one.columns)], state=one.state):
            continue
        noted.append(one.order_id)
        session.add(
            ChangeAfterSending(
                order_id=one.order_id,
                merchant_id=one.merchant_id,
                at=now,
                fields=[StoredDifference(field=field, before=old, after=new) for field, old, new in one.fields],
                acknowledged_at=None if one.state in ACTIONABLE else now,
                acknowledged_by="",
            )
        )
    session.flush()
    for order_id in noted:
        if not merged(differences(open_changes(session, order_id))):
            acknowledge(session, [ChangeAfterSending.order_id == order_id], now=now)
    return len(noted)


def open_changes(session: Session, order_id: int) -> Sequence[ChangeAfterSending]:
    """Return the order's changes that nobody has seen to, oldest first."""
    mine = (ChangeAfterSending.order_id == order_id, ChangeAfterSending.acknowledged_at.is_(None))
    return session.scalars(select(ChangeAfterSending).where(*mine).order_by(ChangeAfterSending.id)).all()


def differences(changes: Iterable[ChangeAfterSending]) -> list[Difference]:
    """Return the fields of all these changes, in their order."""
    return [Difference(one["field"], one["before"], one["after"]) for change in changes for one in change.fields]


def noted_statuses(session: Session, order_ids: Sequence[int]) -> dict[int, str]:
    """Return the order status that was last noted for each of the orders that have one."""
    found: dict[int, str] = {}
    for start in range(0, len(order_ids), IN_CHUNK):
        some = order_ids[start : start + IN_CHUNK]
        rows = session.execute(
            select(ChangeAfterSending.order_id, ChangeAfterSending.fields)
            .where(ChangeAfterSending.order_id.in_(some))
            .order_by(ChangeAfterSending.id)
        )
        for order_id, fields in rows:
            statuses = [one["after"] for one in fields if one["field"] == ORDER_STATUS]
            if statuses:
                found[order_id] = statuses[-1]
    return found


def acknowledge(
    session: Session, conditions: Collection[ColumnElement[bool]], *, now: datetime, actor: str = ""
) -> Sequence[int]:
    """Close the open changes that meet the conditions; ``actor`` is "" if nobody had to. Return their ids.

    The caller commits.
    """
    statement = (
        update(ChangeAfterSending)
        .where(ChangeAfterSending.acknowledged_at.is_(None), *conditions)
        .values(acknowledged_at=now, acknowledged_by=actor)
        .returning(ChangeAfterSending.id)
    )
    return session.scalars(statement, execution_options={"synchronize_session": False}).all()


def acknowledge_past(session: Session, merchant_id: int, now: datetime) -> None:
    """Close the open changes of the merchant's orders that have moved on since. The caller commits."""
    moved_on = select(Order.id).where(Order.id == ChangeAfterSending.order_id, Order.state.not_in(ACTIONABLE)).exists()
    conditions = [ChangeAfterSending.merchant_id == merchant_id, moved_on]
    is_open = ChangeAfterSending.acknowledged_at.is_(None)
    # Most runs find none, and one that only reads has nothing to commit.
    if session.scalar(select(ChangeAfterSending.id).where(is_open, *conditions).limit(1)) is None:
        return
    ids = acknowledge(session, conditions, now=now)
    log.info("orders.changes_past", extra={"merchant": merchant_id, "changes": len(ids)})
