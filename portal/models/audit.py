"""Who did what, for whom, and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base

RETRIED = "order retried"
RELEASED = "order released"
CLOSED = "order closed"


class AuditEntry(Base):
    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    """A user's e-mail, or "command line"."""
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(Text, default="")
