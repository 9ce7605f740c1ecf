"""What a worker asks the database before it forks: the queries with which its jobs begin, for nobody.

SQLAlchemy turns a query into SQL when a process uses it for the first time, which takes longer than running it. What a
fork has turned into SQL is lost with the fork.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.fulfillment.due import (
    due,
    due_chores,
    is_dry_run_due,
    is_refresh_due,
    is_settle_due,
    is_submit_due,
    is_track_due,
)
from portal.fulfillment.poll.claims import Claim, claimed
from portal.fulfillment.poll.idle import record_idle
from portal.fulfillment.probe import check_credentials

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config import Settings

NOBODY = 0
"""An id that no row has."""


def ask(session: Session, settings: Settings) -> None:
    """Ask what the tick, a sync of idle stores, and each job for merchants or stores ask first. Changes nothing."""
    now = utc_now()
    due(session, track_seconds=settings.track_seconds, now=now)
    due_chores(session, now)
    # Twice: SQLAlchemy marks what two queries share when it builds the first, and would build the second again without.
    for _ in range(2):
        is_submit_due(session, NOBODY, now)
        is_settle_due(session, NOBODY, now)
        is_track_due(session, NOBODY, track_seconds=settings.track_seconds, now=now)
        is_refresh_due(session, NOBODY, now)
        is_dry_run_due(session, NOBODY)
    check_credentials(session, NOBODY, settings, utc_now)
    deque(claimed(session, (), utc_now), maxlen=0)
    record_idle(session, settings, Claim(frozenset({NOBODY, -1}), now), utc_now)
