"""Recurring work that belongs to no store or merchant. The database says when it is due and who has claimed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from portal.models import Chore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session


class ChoreName(StrEnum):
    PURGE = "purge"
    INCIDENTS = "incidents"
    MORNING = "morning"
    MESSAGES = "messages"
    SEARCH = "search"
    CHECKS = "checks"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a chore is done, and how long it waits for a worker that claimed it and died.

    A claim that is shorter than a job may run lets a second copy start beside a slow one, so that chore must be
    harmless when it is done twice.
    """

    every: timedelta
    claim: timedelta


RHYTHMS: Mapping[ChoreName, Rhythm] = {
    ChoreName.PURGE: Rhythm(every=timedelta(days=1), claim=timedelta(minutes=15)),
    ChoreName.INCIDENTS: Rhythm(every=timedelta(seconds=15), claim=timedelta(seconds=45)),
    ChoreName.MORNING: Rhythm(every=timedelta(minutes=5), claim=timedelta(minutes=2)),
    ChoreName.MESSAGES: Rhythm(every=timedelta(seconds=15), claim=timedelta(minutes=1)),
    ChoreName.SEARCH: Rhythm(every=timedelta(hours=1), claim=timedelta(minutes=15)),
    ChoreName.CHECKS: Rhythm(every=timedelta(seconds=30), claim=timedelta(minutes=2)),
}


def claim(session: Session, name: ChoreName, now: datetime) -> bool:
    """Claim the chore if it is due, and return whether this worker may do it. Commits.

    A worker that fails or dies never calls finish(), so the chore is due again when the claim ends.
    """
    until = now + RHYTHMS[name].claim
    updated = cast(
        "CursorResult[object]",
        session.execute(update(Chore).where(Chore.name == name, Chore.due_at <= now).values(due_at=until)),
    )
    claimed = updated.rowcount == 1
    if not claimed and session.scalar(select(Chore.name).where(Chore.name == name)) is None:
        session.add(Chore(name=name, due_at=until))
        claimed = True
    try:
        session.commit()
    except IntegrityError:  # another worker has just claimed it for the first time, too
        session.rollback()
        return False
    return claimed


def finish(session: Session, name: ChoreName, now: datetime) -> None:
    """Record that the claimed chore is done, and when it is due again. Commits."""
    session.execute(update(Chore).where(Chore.name == name).values(due_at=now + RHYTHMS[name].every))
    session.commit()


def interrupt(session: Session, name: ChoreName, now: datetime) -> None:
    """Record that the claimed chore isn't done yet and is due again at once. Commits."""
    session.execute(update(Chore).where(Chore.name == name).values(due_at=now))
    session.commit()
