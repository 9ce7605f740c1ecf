"""Filters of the order list that a person has saved under a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class SavedFilter(Base):
    """One person's filters for one merchant's orders. Support users save theirs for each merchant."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("user_id", "merchant_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # An older version that is still running removes people without knowing this table.
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    name: Mapped[str]
    query: Mapped[str] = mapped_column(Text)
    """The filters as they are in the list's address: "state=held&hold=no_sku"."""
    created_at: Mapped[datetime]
