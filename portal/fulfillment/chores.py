"""Recurring work that belongs to no store or merchant. The database says when it is due and who has claimed it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from portal.models import Chore

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

CLAIM = timedelta(minutes=15)
"""How long a claim lasts: as long as a job may run, so that no second copy starts beside it."""


class ChoreName(StrEnum):
    PURGE = "purge"
    INCIDENTS = "incidents"
    MORNING = "morning"
    MESSAGES = "messages"


EVERY: dict[ChoreName, timedelta] = {
    ChoreName.PURGE: timedelta(days=1),
    ChoreName.INCIDENTS: timedelta(seconds=15),
    ChoreName.MORNING: timedelta(minutes=5),
    ChoreName.MESSAGES: timedelta(seconds=15),
}


def claim(session: Session, name: ChoreName, now: datetime) -> bool:
    """Claim the chore if it is due, and return whether this worker may do it. Commits.

    A worker that fails or dies never calls finish(), so the chore is due again when the claim ends.
    """
    updated = cast(
        "CursorResult[object]",
        session.execute(update(Chore).where(Chore.name == name, Chore.due_at <= now).values(due_at=now + CLAIM)),
    )
    claimed = updated.rowcount == 1
    if not claimed and session.scalar(select(Chore.name).where(Chore.name == name)) is None:
        session.add(Chore(name=name, due_at=now + CLAIM))
        claimed = True
    try:
        session.commit()
    except IntegrityError:  # another worker has just claimed it for the first time, too
        session.rollback()
        return False
    return claimed


def finish(session: Session, name: ChoreName, now: datetime) -> None:
    """Record that the claimed chore is done, and when it is due again. Commits."""
    session.execute(update(Chore).where(Chore.name == name).values(due_at=now + EVERY[name]))
    session.commit()
