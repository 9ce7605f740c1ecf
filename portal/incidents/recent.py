"""Which incidents changed just now, read from the end of their history: no index tells when an incident was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import IncidentEvent

if TYPE_CHECKING:
    from sqlalchemy import Select

EVENTS = 2000
"""Lines of history that are read, newest first. Opening and closing each write one."""


def recently_changed() -> Select[int]:
    """Select the ids of the incidents that the latest lines of history are about."""
    newest = select(func.max(IncidentEvent.id)).scalar_subquery()
    return select(IncidentEvent.incident_id).where(IncidentEvent.id > newest - EVENTS)
