"""Who is at work on what, and until when at the latest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Lease(Base):
    """One row per thing worked on; portal.engine.leases takes, renews and gives back."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    until: Mapped[datetime]
