"""Delete buyers' data some time after their orders are completed or closed, and what else may repeat it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, delete, or_, select, update

from portal.models import Attempt, ChangeAfterSending, Incident, Message, Note, Order, OrderEvent
from portal.models.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Delete, Update
    from sqlalchemy.orm import Session

BATCH = 500


def purge(session: Session, *, days: int, now: datetime) -> int:
    """Delete the buyer data of orders completed or closed more than ``days`` ago. Return how many; commits.

    Incidents that ended before that, and messages and notes written before it, are deleted or emptied, too: people
    write into them what they like.
    """
    before = now - timedelta(days=days)
    purged = 0
    while ids := session.scalars(
        select(Order.id)
        .where(Order.state.in_(FINAL), Order.state_changed_at < before, Order.purged_at.is_(None))
        .limit(BATCH)
    ).all():
        empty(session, ids, now)
        session.commit()
        purged += len(ids)
    _purge_texts(session, before)
    return purged


def empty(session: Session, ids: Sequence[int], now: datetime) -> int:
    """Delete the buyer data of those of the orders that are final. Return how many; the caller commits.

    The number, state, SKUs and attempt outcomes stay. What Big Cartel sent, what we sent to the FCP, the FCP's own
    words (which may repeat an address), and what people wrote about the order are emptied.
    """
    final = session.scalars(
        update(Order)
        .where(Order.id.in_(ids), Order.state.in_(FINAL))
        .values(document="{}", dry_run_verdict=None, purged_at=now)
        .returning(Order.id),
        execution_options={"synchronize_session": False},
    ).all()
    if final:
        for statement in (
            update(Attempt).where(Attempt.order_id.in_(final)).values(request="", answer="", words=""),
            update(ChangeAfterSending).where(ChangeAfterSending.order_id.in_(final)).values(fields=[]),
            update(Note).where(Note.order_id.in_(final)).values(text=""),
            update(OrderEvent).where(OrderEvent.order_id.in_(final)).values(reason=""),
        ):
            _run(session, statement)
    return len(final)


def _purge_texts(session: Session, before: datetime) -> None:
    """Delete or empty what is old and may mention a buyer. Commits."""
    is_purged = select(Order.id).where(Order.purged_at.is_not(None))
    for statement in (
        # Their messages go with them.
        delete(Incident).where(Incident.closed_at < before),
        delete(Message).where(
            Message.created_at < before, Message.next_attempt_at.is_(None), Message.incident_id.is_(None)
        ),
        # About a merchant, or written about an order after it was purged.
        update(Note)
        .where(Note.at < before, Note.text != "", or_(Note.order_id.is_(None), Note.order_id.in_(is_purged)))
        .values(text=""),
    ):
        _run(session, statement)
        session.commit()


def _run(session: Session, statement: Update | Delete) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[tuple[()]]", result).rowcount
