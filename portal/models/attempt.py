"""Every call that matters to an order, one row each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, text_enum
from portal.models.order import Order


class AttemptKind(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    MARK_SHIPPED = "mark_shipped"


class Trigger(StrEnum):
    SCHEDULE = "schedule"
    PERSON = "person"


class AttemptOutcome(StrEnum):
    OPEN = "open"
    """Written before the call; still open means that it is out, or that its process died."""
    DONE = "done"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    INTERRUPTED = "interrupted"


class Attempt(Base):
    """Written before the call, completed once after it, then never touched (until the buyer's data is purged)."""

    __tablename__ = "attempts"
    __table_args__ = (
        # The merchant is always the order's merchant: pages show a merchant its own attempts by this column.
        ForeignKeyConstraint(["order_id", "merchant_id"], ["orders.id", "orders.merchant_id"]),
        # An open attempt has not ended (or its process died); every other one has, and says when.
        CheckConstraint("(outcome = 'open') = (finished_at IS NULL)", name="finished_at"),
        Index("ix_attempts_merchant", "merchant_id", "id"),
        Index("ix_attempts_order", "order_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    order_id: Mapped[int]
    # Completing an attempt finds it by its kind and outcome; with an unknown kind it would stay open forever.
    kind: Mapped[AttemptKind] = mapped_column(text_enum(AttemptKind, "kind"))
    # One row with an unknown word makes every page that lists it fail (so also for the other enums).
    trigger: Mapped[Trigger] = mapped_column(text_enum(Trigger, "trigger"))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    # Whether an order may be sent again is decided by the outcome of its last attempt.
    outcome: Mapped[AttemptOutcome] = mapped_column(text_enum(AttemptOutcome, "outcome"))
    http_status: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text, default="")
    """The other side's error in its own words."""
    explanation: Mapped[str] = mapped_column(Text, default="")
    """What happened and what to do about it, in a sentence or two of ours."""
    request: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    """Both without credentials; emptied, like the words, when the buyer's data is purged."""

    order: Mapped[Order] = relationship(lazy="raise")
