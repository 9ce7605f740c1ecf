"""The attempt log: one row for every call that matters to an order."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, text_enum
from portal.models.order import Order

_NOT_DONE = text("outcome <> 'done'")
_SENDS = text("kind = 'submit'")


class AttemptKind(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    MARK_SHIPPED = "mark_shipped"


class Trigger(StrEnum):
    SCHEDULE = "schedule"
    PERSON = "person"


class AttemptOutcome(StrEnum):
    OPEN = "open"
    """Written before the call. An attempt that is still open is in progress, or its process died."""
    DONE = "done"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    INTERRUPTED = "interrupted"


class Attempt(Base):
    """One call. The row is written before it, completed once after it, then unchanged until buyer data is purged."""

    __tablename__ = "attempts"
    __table_args__ = (
        # Always the order's merchant: pages use this column to show merchants only their own attempts.
        ForeignKeyConstraint(["order_id", "merchant_id"], ["orders.id", "orders.merchant_id"]),
        # An attempt is open exactly while it has no end time.
        CheckConstraint("(outcome = 'open') = (finished_at IS NULL)", name="finished_at"),
        Index("ix_attempts_merchant", "merchant_id", "id"),
        Index("ix_attempts_order", "order_id", "id"),
        # Nearly all are done. For the lists of a merchant, and of all, by any other outcome.
        Index(
            "ix_attempts_merchant_outcome",
            "merchant_id",
            "outcome",
            "id",
            postgresql_where=_NOT_DONE,
            sqlite_where=_NOT_DONE,
        ),
        # For the last one of a merchant: most attempts ask for an order's status.
        Index("ix_attempts_sent", "merchant_id", "started_at", "id", postgresql_where=_SENDS, sqlite_where=_SENDS),
        Index("ix_attempts_outcome", "outcome", "id", postgresql_where=_NOT_DONE, sqlite_where=_NOT_DONE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    order_id: Mapped[int]
    # An attempt is looked up by kind and outcome to complete it; with an unknown kind it would stay open forever.
    kind: Mapped[AttemptKind] = mapped_column(text_enum(AttemptKind, "kind"))
    # A single row with an unknown value breaks every page that lists it (this applies to the other enums too).
    trigger: Mapped[Trigger] = mapped_column(text_enum(Trigger, "trigger"))
    started_at: Mapped[datetime]
    departed_at: Mapped[datetime | None]
    """When the request left; None if it never did, or if its worker died before it could say."""
    finished_at: Mapped[datetime | None]
    # The outcome of its last attempt decides whether an order may be sent again.
    outcome: Mapped[AttemptOutcome] = mapped_column(text_enum(AttemptOutcome, "outcome"))
    http_status: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text, default="")
    """The error message exactly as the other service sent it."""
    explanation: Mapped[str] = mapped_column(Text, default="")
    """What happened and what to do about it, in our words."""
    request: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    """Both bodies have credentials redacted. They are emptied, like ``words``, when the buyer's data is purged."""

    order: Mapped[Order] = relationship(lazy="raise")
