"""Which worker is working on what, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Lease(Base):
    """One row per task that workers take turns doing; portal.engine.leases takes, renews and releases it."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    until: Mapped[datetime]
