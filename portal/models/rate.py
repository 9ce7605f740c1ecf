"""Shipping rates that a merchant marked, because their name misled us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum


class RateMark(StrEnum):
    ALWAYS = "always"
    """Orders with this rate are sent, even if its name sounds like a pickup."""
    NEVER = "never"
    """Orders with this rate are never sent to the warehouse."""


class MarkedRate(Base):
    __tablename__ = "marked_rates"
    __table_args__ = (UniqueConstraint("store_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    name: Mapped[str]
    """The rate's name, as portal.rules.pickup compares it."""
    mark: Mapped[RateMark] = mapped_column(text_enum(RateMark, "mark"))
    set_by: Mapped[str]
    set_at: Mapped[datetime]
