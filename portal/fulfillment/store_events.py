"""Poll a store soon because Big Cartel said that something happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from portal.models import Store

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def poll_soon(session: Session, account_id: str, now: datetime) -> int | None:
    """Make the account's store due for a poll, and return its id if that is new. Commits.

    None if there is nothing to wake: the store isn't polled, is due already, or failed the last time, when its back-off
    counts. While a poll is running, this makes the store due again after it: the poll may have read the orders before
    the event. So an event, however often it comes, means one poll that starts after it.
    """
    made_due = (
        update(Store)
        .where(Store.account_id == account_id, Store.is_connected, Store.next_poll_at > now, Store.poll_failures == 0)
        .values(next_poll_at=now)
        .returning(Store.id)
    )
    store_id = session.scalar(made_due, execution_options={"synchronize_session": False})
    session.commit()
    return store_id


def is_due_again(session: Session, store_id: int, now: datetime) -> bool:
    """Return whether the store became due while it was polled. Ends the transaction."""
    due_at = session.scalar(select(Store.next_poll_at).where(Store.id == store_id))
    session.commit()
    return due_at is not None and due_at <= now
