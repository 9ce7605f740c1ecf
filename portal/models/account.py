"""Merchants and the people who log in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import MAX_ID, Base, text_enum
from portal.models.stored import StoredListView

_ARE_REFUSED = text("credentials_refused_at IS NOT NULL")

MAX_DIGITS = 40
"""Characters of a Merchant Id as typed, leading zeros included."""


class Role(StrEnum):
    MERCHANT = "merchant"
    SUPPORT = "support"


def merchant_id_in(text: str) -> int | None:
    """Return the Merchant Id that a person typed, or None if it isn't one.

    "0817", and 817 in full-width or Arabic digits, are the same merchant as "817": each spelling must count as one.
    """
    text = text.strip()
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        return None
    number = int(text)
    return number if 0 < number <= MAX_ID else None


class Alerts(StrEnum):
    """Which messages about incidents a person gets."""

    ALL = "all"
    STOPS = "stops"
    """Only about what stops orders."""
    DAILY = "daily"
    """None at once; the morning note names what needs attention."""
    NONE = "none"


class Merchant(Base):
    """A customer of the warehouse. The id is the FCP's MerchantId."""

    __tablename__ = "merchants"
    __table_args__ = (
        # MerchantIds start at 1; an empty form field turns into 0.
        CheckConstraint("id > 0", name="id"),
        # Failures in a row; they set the length of the backoff.
        CheckConstraint("fcp_failures >= 0", name="fcp_failures"),
        # Only merchants whose credentials were rejected.
        Index(
            "ix_merchants_credentials_checked_at",
            "credentials_checked_at",
            postgresql_where=_ARE_REFUSED,
            sqlite_where=_ARE_REFUSED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    """MerchantName as the FCP knows it; every submission contains it."""
    sealed_token: Mapped[str] = mapped_column(Text)
    """MerchantToken, encrypted (portal.crypto)."""
    domestic_service: Mapped[str] = mapped_column(default="")
    """Code of the service that DOMESTIC_DEFAULT is mapped to; empty if not mapped."""
    international_service: Mapped[str] = mapped_column(default="")
    territories_domestic: Mapped[bool] = mapped_column(default=False)
    submit_unpaid: Mapped[bool] = mapped_column(default=False)
    ignore_items_without_sku: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    test_mode: Mapped[bool] = mapped_column(default=False)
    rules_changed_at: Mapped[datetime]
    """Last change to a setting that affects which orders are held."""
    credentials_refused_at: Mapped[datetime | None]
    """Set when the FCP rejected the credentials; we don't call the FCP until the merchant enters them again."""
    credentials_refused_words: Mapped[str] = mapped_column(Text, default="")
    credentials_checked_at: Mapped[datetime | None]
    """When we last checked rejected credentials; they are checked again every few minutes."""
    fcp_after: Mapped[datetime | None]
    """No scheduled call to the FCP for this merchant before this time: only its calls fail."""
    fcp_failing_since: Mapped[datetime | None]
    """When its calls began to fail although the FCP answers others."""
    fcp_failures: Mapped[int] = mapped_column(default=0)
    fcp_error: Mapped[str] = mapped_column(Text, default="")
    last_tracked_at: Mapped[datetime | None]
    tracking_error: Mapped[str] = mapped_column(Text, default="")
    """Why we can't get order statuses from the FCP, as a sentence; empty if we can."""
    alert_hold_hours: Mapped[int] = mapped_column(default=24, server_default="24")
    """An order on hold for longer than this many hours is an incident."""
    alert_ageing_days: Mapped[int] = mapped_column(default=3, server_default="3")
    """An order at the warehouse, not shipped, for longer than this many business days is an incident."""
    alert_sync_minutes: Mapped[int] = mapped_column(default=10, server_default="10")
    """A store that wasn't synced for longer than this many minutes is an incident."""
    morning_note: Mapped[bool] = mapped_column(default=True, server_default=false())
    """Whether its people get the morning note. Off for merchants from before there was one."""
    created_at: Mapped[datetime]


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        # Support users see every merchant and belong to none; every other user belongs to one.
        CheckConstraint("(role = 'support') = (merchant_id IS NULL)", name="merchant_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    password_hash: Mapped[str]
    """argon2."""
    session_key: Mapped[str] = mapped_column(unique=True)
    """Part of every cookie that logs the user in; changing the password changes it and ends every log-in."""
    # The role decides what a user may see, so an unknown one must never be stored.
    role: Mapped[Role] = mapped_column(text_enum(Role, "role"))
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    alerts: Mapped[Alerts] = mapped_column(
        text_enum(Alerts, "alerts", is_checked=False), default=Alerts.ALL, server_default=Alerts.ALL.value
    )
    muted: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    """The kinds of mail that this person unsubscribed from, one by one: incident kinds, and other message kinds."""
    order_list: Mapped[StoredListView | None] = mapped_column(JSON(none_as_null=True))
    """How this person wants to see the order list; None until they choose."""
    created_at: Mapped[datetime]

    is_active = is_authenticated = True
    is_anonymous = False
    """What Flask-Login asks of a user. Its own base class would have every job import Flask."""
    cookie_id = ""
    """What logs the user in from this request's cookies; see portal.people.log_ins. Empty for every other user."""

    def get_id(self) -> str:
        return self.cookie_id
