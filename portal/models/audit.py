"""The audit trail: who did what, for which merchant, and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RETRIED = "order retried"
RELEASED = "order released"
CLOSED = "order closed"
RELEASE_UNDONE = "order release undone"
CLOSING_UNDONE = "order closing undone"
CONNECTED = "store connected"
RECONNECTED = "store reconnected"


class AuditEntry(Base):
    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    """A user's email address, or "command line"."""
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(Text, default="")


def record(
    session: Session,
    action: str,
    *,
    merchant_id: int | None,
    subject: str = "",
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Add an audit entry to the session; it is committed together with the action."""
    session.add(AuditEntry(at=now, actor=actor, merchant_id=merchant_id, action=action, subject=subject, reason=reason))
