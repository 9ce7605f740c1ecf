"""Recurring work that belongs to no store or merchant, and when each is due next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Chore(Base):
    """One row per chore. A chore without a row has never run and is due."""

    __tablename__ = "chores"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
