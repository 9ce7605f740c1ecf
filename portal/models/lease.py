"""Which worker is working on what, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base

_IS_OWNED = text("owner <> ''")


class Lease(Base):
    """One row per task that workers take turns doing; portal.engine.leases takes, renews and releases it."""

    __tablename__ = "leases"
    # Released leases have no owner; nearly all are released.
    __table_args__ = (Index("ix_leases_owner", "owner", postgresql_where=_IS_OWNED, sqlite_where=_IS_OWNED),)

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until: Mapped[datetime]
