"""Look at what the jobs have stored: open, update and close incidents, and queue the messages about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.incidents.announce import announce
from portal.incidents.record import record
from portal.models import IncidentKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

BY_THE_WATCH = frozenset({
    IncidentKind.NO_REDIS, IncidentKind.NO_WORKER, IncidentKind.NO_SCHEDULE, IncidentKind.NO_WATCH,
    IncidentKind.NO_POLL, IncidentKind.QUEUE_STUCK,
})  # fmt: skip
"""What only the watch can see, because no worker may be there to look."""
BY_A_LOOK = frozenset(IncidentKind) - BY_THE_WATCH


def look(session: Session, settings: Settings, clock: Callable[[], datetime]) -> None:
    """Find what is wrong now, record it, and queue the messages that are due. Commits.

    Doing it twice at once is harmless, so a worker and the watch may both do it.
    """
    now = clock()
    record(session, [], kinds=BY_A_LOOK, now=now)
    announce(session, settings, now)
