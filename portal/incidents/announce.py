"""Queue the messages about incidents: once when one has opened, and once when it has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings


def announce(session: Session, settings: Settings, now: datetime) -> None:
    """Queue what is to be told now. Commits."""
