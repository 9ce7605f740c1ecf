"""The two outside services, as all workers see them: answering, or failing since when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum


class HostName(StrEnum):
    BIG_CARTEL = "bigcartel"
    WAREHOUSE = "fcp"


class Host(Base):
    """The circuit of one service, shared by all workers. A service without a row has never failed."""

    __tablename__ = "hosts"

    name: Mapped[HostName] = mapped_column(text_enum(HostName, "name"), primary_key=True)
    failing_since: Mapped[datetime | None]
    """Set while the service fails for everyone; scheduled work then waits."""
    error: Mapped[str] = mapped_column(Text, default="")
    """How it fails, as a sentence; empty if it answers."""
    probe_at: Mapped[datetime]
    """No probe before this time. A worker that is about to probe moves it forward first."""
