"""What people do about incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import Incident, IncidentEvent
from portal.models.audit import record

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def acknowledge(session: Session, incident: Incident, *, actor: str, reason: str, now: datetime) -> bool:
    """Record that a person knows about an open incident, which ends its reminders. Commits.

    Return whether anything changed: of two people who acknowledge at once, the first counts.
    """
    fresh = session.get_one(Incident, incident.id, with_for_update=True, populate_existing=True)
    if fresh.closed_at is not None or fresh.acknowledged_at is not None:
        session.commit()
        return False
    fresh.acknowledged_at, fresh.acknowledged_by = now, actor
    # Every merchant reads the history of what concerns all of them, and only support can acknowledge that.
    who = "support" if fresh.merchant_id is None else actor
    session.add(IncidentEvent(incident_id=fresh.id, at=now, sentence=f"Acknowledged by {who}."))
    record(
        session,
        "incident acknowledged",
        merchant_id=fresh.merchant_id,
        subject=fresh.title,
        actor=actor,
        reason=reason,
        now=now,
    )
    session.commit()
    return True
