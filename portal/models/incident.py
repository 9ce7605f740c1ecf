"""Incidents: one row per cause and merchant or service, from its start to its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum

_IS_OPEN = text("closed_at IS NULL")
_IS_TOLD_AS_OPEN = text(
    "opening_told_at IS NOT NULL AND (closing_told_at IS NULL OR closing_told_at < opening_told_at)"
)


class IncidentKind(StrEnum):
    """Worst first. portal.incidents.kinds says who hears of each."""

    NO_REDIS = "no_redis"
    NO_WORKER = "no_worker"
    NO_SCHEDULE = "no_schedule"
    NO_WATCH = "no_watch"
    NO_POLL = "no_poll"
    QUEUE_STUCK = "queue_stuck"
    HOST_FAILING = "host_failing"
    CREDENTIALS_REJECTED = "credentials_rejected"
    RECONNECT_NEEDED = "reconnect_needed"
    STORE_NOT_SYNCED = "store_not_synced"
    UNACCOUNTED_FOR = "unaccounted_for"
    CHANGED_AFTER_SENDING = "changed_after_sending"
    ORDERS_REJECTED = "orders_rejected"
    ORDERS_NOT_SENT = "orders_not_sent"
    ORDERS_LOST = "orders_lost"
    BIG_CARTEL_NOT_TOLD = "big_cartel_not_told"
    ORDERS_ON_HOLD = "orders_on_hold"
    PRODUCTS_WITHOUT_SKU = "products_without_sku"
    ORDERS_AGEING = "orders_ageing"
    SHIPMENTS_UNKNOWN = "shipments_unknown"
    WEBHOOK_OFF = "webhook_off"


class Incident(Base):
    """Something that is wrong, and since when. It is what pages, mails and webhooks show."""

    __tablename__ = "incidents"
    __table_args__ = (
        # Two processes that see the same cause at the same time must not both open an incident.
        Index("uq_incidents_open", "key", unique=True, postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
        Index("ix_incidents_merchant", "merchant_id", "id"),
        Index("ix_incidents_closed_at", "closed_at"),
        Index("ix_incidents_told", "id", postgresql_where=_IS_TOLD_AS_OPEN, sqlite_where=_IS_TOLD_AS_OPEN),
        CheckConstraint("orders >= 0", name="orders"),
        CheckConstraint("most_orders >= orders", name="most_orders"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[IncidentKind] = mapped_column(text_enum(IncidentKind, "kind", is_checked=False))
    key: Mapped[str]
    """What makes two findings the same incident: the kind, whom it concerns and the cause."""
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchants.id"))
    """None if it concerns every merchant (a service fails) or only the operator (no worker runs)."""
    subject: Mapped[str] = mapped_column(default="")
    """What the fix is about, for its link: a store's id, an order's number, a host's name; empty if it needs none."""
    title: Mapped[str] = mapped_column(Text)
    """The fact in one line: "12 orders rejected: unknown SKU GUIDE-1". Names no buyer."""
    explanation: Mapped[str] = mapped_column(Text, default="")
    """What it means and what to do, in sentences. Names no buyer."""
    orders: Mapped[int] = mapped_column(default=0)
    """How many orders it affects now; 0 once it is closed, or if it isn't about single orders."""
    most_orders: Mapped[int] = mapped_column(default=0)
    """The most that it ever affected at the same time."""
    order_numbers: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Some of their numbers, oldest first."""
    opened_at: Mapped[datetime]
    """When the cause began, as far as we know."""
    found_at: Mapped[datetime]
    """When we noticed, plus any time that it was over since. The grace before the first message counts from here."""
    checked_at: Mapped[datetime]
    """When it was last seen to be still true, or found to have ended."""
    reopened_at: Mapped[datetime | None]
    """When it last came back after it had ended. None if it never did, or if it started over."""
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, default="")
    """How it ended, in one sentence: "Back after 34 minutes: 41 orders sent, the oldest waited 36 minutes."""
    opening_told_at: Mapped[datetime | None]
    """When the messages about its start were queued; None while the grace lasts, or if it ended within it."""
    closing_told_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    """When a person said that they know. The incident stays open, and reminders stop."""
    acknowledged_by: Mapped[str] = mapped_column(default="")


class IncidentEvent(Base):
    """One line of an incident's history. Rows are only added."""

    __tablename__ = "incident_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    sentence: Mapped[str] = mapped_column(Text)
