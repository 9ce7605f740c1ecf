"""Merchants and the people who log in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum


class Role(StrEnum):
    MERCHANT = "merchant"
    SUPPORT = "support"


class Merchant(Base):
    """A merchant of the warehouse. Its id is the MerchantId of the FCP."""

    __tablename__ = "merchants"
    __table_args__ = (
        # MerchantIds start at 1; 0 is what an empty form field turns into.
        CheckConstraint("id > 0", name="id"),
        # Counts failures in a row; the length of the backoff follows from it.
        CheckConstraint("fcp_failures >= 0", name="fcp_failures"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    """MerchantName, as the FCP knows it: it is part of every submission."""
    sealed_token: Mapped[str] = mapped_column(Text)
    """MerchantToken, encrypted (portal.crypto)."""
    domestic_service: Mapped[str] = mapped_column(default="")
    """Code of the service that DOMESTIC_DEFAULT stands for; empty while it is not mapped."""
    international_service: Mapped[str] = mapped_column(default="")
    territories_domestic: Mapped[bool] = mapped_column(default=False)
    submit_unpaid: Mapped[bool] = mapped_column(default=False)
    ignore_items_without_sku: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    test_mode: Mapped[bool] = mapped_column(default=False)
    rules_changed_at: Mapped[datetime]
    """When something changed by which orders are held or released."""
    credentials_refused_at: Mapped[datetime | None]
    """Set when the FCP refused the credentials: no call to the FCP until they are given anew."""
    credentials_refused_words: Mapped[str] = mapped_column(Text, default="")
    fcp_after: Mapped[datetime | None]
    """The clock makes no call to the FCP for this merchant before this time (throttled, or down)."""
    fcp_failures: Mapped[int] = mapped_column(default=0)
    fcp_error: Mapped[str] = mapped_column(Text, default="")
    last_tracked_at: Mapped[datetime | None]
    tracking_error: Mapped[str] = mapped_column(Text, default="")
    """Why the FCP cannot be asked what it has shipped, as a sentence; empty while it can."""
    created_at: Mapped[datetime]


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login has no types
    __tablename__ = "users"
    __table_args__ = (
        # Support users see every merchant and belong to none; every other user belongs to one merchant.
        CheckConstraint("(role = 'support') = (merchant_id IS NULL)", name="merchant_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    password_hash: Mapped[str]
    """argon2."""
    session_key: Mapped[str] = mapped_column(unique=True)
    """What the session cookie names the user by; it changes with the password, which ends every other session."""
    # The role decides what a user may see, so an unknown one must never be stored.
    role: Mapped[Role] = mapped_column(text_enum(Role, "role"))
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    created_at: Mapped[datetime]

    def get_id(self) -> str:
        return self.session_key
