"""What TEST orders told us: which carrier services the warehouse offers, and whether it knows a merchant's name."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum

_IS_OF_A_SERVICE, _IS_OF_A_NAME = text("service <> ''"), text("service = ''")
_IS_DUE_SOME_TIME = text("due_at IS NOT NULL")


class CheckVerdict(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class WarehouseCheck(Base):
    """One row per service code, for all merchants, and one per merchant, with no service, for their name."""

    __tablename__ = "warehouse_checks"
    __table_args__ = (
        Index(
            "uq_warehouse_checks_service",
            "service",
            unique=True,
            postgresql_where=_IS_OF_A_SERVICE,
            sqlite_where=_IS_OF_A_SERVICE,
        ),
        Index(
            "uq_warehouse_checks_name",
            "merchant_id",
            unique=True,
            postgresql_where=_IS_OF_A_NAME,
            sqlite_where=_IS_OF_A_NAME,
        ),
        # Only those that are to be checked.
        Index(
            "ix_warehouse_checks_due_at", "due_at", postgresql_where=_IS_DUE_SOME_TIME, sqlite_where=_IS_DUE_SOME_TIME
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    """Whose choice of the service asked for the check, and whose credentials and SKUs the TEST order has."""
    service: Mapped[str] = mapped_column(default="")
    """The service's code; empty if the check is of the merchant's name."""
    verdict: Mapped[CheckVerdict | None] = mapped_column(text_enum(CheckVerdict, "verdict"))
    """None until the warehouse has answered about this."""
    words: Mapped[str] = mapped_column(Text, default="")
    """The warehouse's words if it rejected the TEST order because of the service or the name."""
    problem: Mapped[str] = mapped_column(Text, default="")
    """Why the last try brought no verdict, as a sentence."""
    tried_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    """When to try next, or until when a worker has claimed it; None if there is nothing to find out."""
