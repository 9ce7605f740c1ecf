"""When an incident is told: its start once it has lasted, its end once it is over, and each day between."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_

from portal.models import Incident, MessageKind

if TYPE_CHECKING:
    from datetime import datetime

GRACE = timedelta(minutes=2)
"""What doesn't last this long is never told: a blip. Of what comes and goes, the times add up."""
SETTLING = timedelta(seconds=60)
"""How long an incident must be over before that is told: it may come back, and what waited is still being sent."""
REOPENED_WITHIN = timedelta(minutes=10)
"""What comes back this soon after its end is the same incident. If it lasts no longer than this, it comes and goes, and
its end settles as long."""
REMIND_EVERY = timedelta(hours=24)

IS_TOLD_AS_OPEN = and_(
    Incident.opening_told_at.is_not(None),
    or_(Incident.closing_told_at.is_(None), Incident.closing_told_at < Incident.opening_told_at),
)
"""The same as ``is_told_as_open``, with an index."""


def is_told_as_open(incident: Incident) -> bool:
    """Return whether the last that people were told is that it began."""
    told_at, ended_at = incident.opening_told_at, incident.closing_told_at
    return told_at is not None and (ended_at is None or ended_at < told_at)


def due_message(incident: Incident, now: datetime) -> MessageKind | None:
    """Return what is to be told about the incident now, if anything."""
    if incident.closed_at is not None:
        is_over = now >= incident.closed_at + _settling(incident, incident.closed_at)
        return MessageKind.INCIDENT_CLOSED if is_told_as_open(incident) and is_over else None
    told_at = incident.opening_told_at
    if told_at is None or not is_told_as_open(incident):
        return MessageKind.INCIDENT_OPENED if now >= incident.found_at + GRACE else None
    last = max(told_at, incident.reminded_at or told_at)
    is_due = incident.acknowledged_at is None and now >= last + REMIND_EVERY
    return MessageKind.INCIDENT_REMINDER if is_due else None


def _settling(incident: Incident, closed_at: datetime) -> timedelta:
    comes_and_goes = incident.reopened_at is not None and closed_at < incident.reopened_at + REOPENED_WITHIN
    return REOPENED_WITHIN if comes_and_goes else SETTLING
