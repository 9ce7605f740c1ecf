"""Look at what the jobs have stored: open, update and close incidents, and queue the messages about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.incidents import outcome
from portal.incidents.announce import announce
from portal.incidents.detect import ageing, changed, held, rejected, services, stores, stuck, webhooks_off
from portal.incidents.detect.engine import ENGINE_KINDS, watch_findings
from portal.incidents.detect.scene import read_scene
from portal.incidents.record import record
from portal.models import IncidentKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.incidents.finding import Finding

DETECTORS = (services, stores, rejected, held, stuck, ageing, changed, webhooks_off)
BY_A_LOOK = frozenset(IncidentKind) - ENGINE_KINDS
"""The rest is found by the watch alone, because no worker may be there to look."""


def look(session: Session, settings: Settings, clock: Callable[[], datetime]) -> None:
    """Find what is wrong now, record it, and queue the messages that are due. Commits.

    Doing it twice at once is harmless, so a worker and the watch may both do it.
    """
    now = clock()
    record(session, find(session, settings, now), kinds=BY_A_LOOK, now=now)
    outcome.refresh(session, now)
    announce(session, settings, now)


def find(session: Session, settings: Settings, now: datetime) -> list[Finding]:
    """Return everything that is wrong according to the database, except what only the watch can see.

    The number of queries depends on neither the merchants nor the orders. Ends the transaction.
    """
    scene = read_scene(session, settings, now)
    findings = [finding for detector in DETECTORS for finding in detector.find(session, scene)]
    findings += watch_findings(session, now)
    session.commit()
    return findings
