"""Delete buyers' data some time after their orders are completed or closed, and what else may repeat it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, delete, or_, select, update

from portal.fulfillment import search_rows
from portal.models import Attempt, ChangeAfterSending, Incident, Message, Note, Order, OrderEvent, SkuDrift
from portal.models.base import chunks
from portal.models.message import note_key
from portal.models.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

BATCH = 200
"""Orders, or other rows, that are changed in one transaction. The attempts of this many orders are about a thousand
rows, and whoever wants to change one of them waits for some milliseconds."""
# As in the index, word for word.
_IS_FINAL = Order.state.in_(bindparam("final", sorted(FINAL), expanding=True, literal_execute=True))
NOTE_DELETED = "Not sent: the note was deleted with its buyer's data."


def purge(session: Session, *, days: int, now: datetime) -> Iterator[int]:
    """Delete the buyer data of orders completed or closed more than ``days`` ago, in batches.

    Incidents that ended before that, and messages and notes written before it, are deleted or emptied, too: people
    write into them what they like. SKUs that changed before it are forgotten.

    Commits each batch and then yields of how many orders it deleted the data. Whoever stops asking leaves the rest to
    the next run, which finds it where this one ended. An order that somebody else is changing is left to it as well.
    """
    before = now - timedelta(days=days)
    due = (
        select(Order.id)
        .where(_IS_FINAL, Order.state_changed_at < before, Order.purged_at.is_(None))
        .order_by(Order.state, Order.state_changed_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    while ids := session.scalars(due).all():
        empty(session, ids, now)
        session.commit()
        yield len(ids)
    session.commit()
    yield from _purge_texts(session, before)


def empty(session: Session, ids: Sequence[int], now: datetime) -> int:
    """Delete the buyer data of those of the orders that are final. Return how many; the caller commits.

    The number, state, SKUs and attempt outcomes stay. What Big Cartel sent, what we sent to the FCP, the FCP's own
    words (which may repeat an address), and what people wrote about the order are emptied, also in mails. A search no
    longer finds the order by its buyer.
    """
    final = session.scalars(
        update(Order)
        .where(Order.id.in_(ids), Order.state.in_(FINAL))
        .values(document="{}", edits=None, dry_run_verdict=None, purged_at=now)
        .returning(Order.id),
        execution_options={"synchronize_session": False},
    ).all()
    if final:
        for statement in (
            update(Attempt).where(Attempt.order_id.in_(final)).values(request="", answer="", words=""),
            update(ChangeAfterSending).where(ChangeAfterSending.order_id.in_(final)).values(fields=[]),
            update(OrderEvent).where(OrderEvent.order_id.in_(final)).values(reason=""),
        ):
            session.execute(statement, execution_options={"synchronize_session": False})
        search_rows.refresh(session, final)
        empty_notes(session, Note.order_id.in_(final))
    return len(final)


def empty_notes(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Empty the notes that meet the conditions, and the mails about them. Return how many rows; the caller commits.

    A mail that is still due is given up.
    """
    ids = session.scalars(
        update(Note).where(Note.text != "", *conditions).values(text="").returning(Note.id),
        execution_options={"synchronize_session": False},
    ).all()
    mails = 0
    for some in chunks(ids):
        is_due = Message.next_attempt_at.is_not(None)
        given_up = {"next_attempt_at": None, "error": case((is_due, NOTE_DELETED), else_=Message.error)}
        emptied = (
            update(Message)
            .where(Message.text != "", or_(*(Message.key.startswith(note_key(one), autoescape=True) for one in some)))
            .values(text="", html="", **given_up)
            .returning(Message.id)
        )
        mails += len(session.scalars(emptied, execution_options={"synchronize_session": False}).all())
    return len(ids) + mails


def _purge_texts(session: Session, before: datetime) -> Iterator[int]:
    """Delete or empty what is old and may mention a buyer. Commits each batch, and then yields 0."""
    done_with = (Message.next_attempt_at.is_(None), Message.incident_id.is_(None))
    incidents = select(Incident.id).where(Incident.closed_at < before).order_by(Incident.closed_at)
    messages = select(Message.id).where(Message.created_at < before, *done_with).order_by(Message.id)
    # A subquery that returns one value: PostgreSQL and SQLite may read all orders for one that returns many.
    purged_at = select(Order.purged_at).where(Order.id == Note.order_id).scalar_subquery()
    # About a merchant, or written about an order after it was purged.
    is_old = (Note.text != "", Note.at < before, or_(Note.order_id.is_(None), purged_at.is_not(None)))
    notes = select(Note.id).where(*is_old).order_by(Note.id)

    drifts = select(SkuDrift.id).where(SkuDrift.at < before).order_by(SkuDrift.id)

    def deleted(table: type[Incident | Message | SkuDrift], ids: Sequence[int]) -> None:
        session.execute(delete(table).where(table.id.in_(ids)), execution_options={"synchronize_session": False})

    kinds: tuple[tuple[Select[int], Callable[[Sequence[int]], object]], ...] = (
        (incidents, partial(deleted, Incident)),  # their messages go with them
        (messages, partial(deleted, Message)),
        (drifts, partial(deleted, SkuDrift)),
        (notes, lambda ids: empty_notes(session, Note.id.in_(ids))),
    )
    for query, purge_some in kinds:
        while ids := session.scalars(query.limit(BATCH).with_for_update(skip_locked=True)).all():
            purge_some(ids)
            session.commit()
            yield 0
        session.commit()
