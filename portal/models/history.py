"""What happened to an order: its moves, changes in Big Cartel after it was sent, and people's notes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum
from portal.models.states import OrderState
from portal.models.stored import StoredDifference, StoredHold

_IS_OPEN = text("acknowledged_at IS NULL")


class OrderEvent(Base):
    """One move of an order that a person would ask about. Written with the move, and only added to."""

    __tablename__ = "order_events"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "merchant_id"], ["orders.id", "orders.merchant_id"], ondelete="CASCADE"),
        Index("ix_order_events_order", "order_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]
    merchant_id: Mapped[int]
    at: Mapped[datetime]
    from_state: Mapped[OrderState | None] = mapped_column(text_enum(OrderState, "from_state", is_checked=False))
    """None if the order was new. The same as ``to_state`` if only its hold reasons changed."""
    to_state: Mapped[OrderState] = mapped_column(text_enum(OrderState, "to_state", is_checked=False))
    holds: Mapped[list[StoredHold]] = mapped_column(JSON, default=list)
    """The order's holds after the move."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why, as a phrase or sentence: "fixed in Big Cartel"; empty if the states say enough."""
    actor: Mapped[str] = mapped_column(default="")
    """A user's email address or "command line"; empty if it happened automatically."""


class ChangeAfterSending(Base):
    """What changed in Big Cartel about an order that was already sent, until a person has seen to it."""

    __tablename__ = "changes_after_sending"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "merchant_id"], ["orders.id", "orders.merchant_id"], ondelete="CASCADE"),
        Index("ix_changes_after_sending_order", "order_id", "id"),
        Index("ix_changes_after_sending_open", "merchant_id", postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]
    merchant_id: Mapped[int]
    at: Mapped[datetime]
    """When we saw it."""
    fields: Mapped[list[StoredDifference]] = mapped_column(JSON)
    """Emptied when the buyer's data is purged."""
    acknowledged_at: Mapped[datetime | None]
    """Set by a person, or when the order was shipped or closed and nothing can be done anymore."""
    acknowledged_by: Mapped[str] = mapped_column(default="")


class Note(Base):
    """What a merchant or support wrote about an order or the merchant; each side gets the other's by mail."""

    __tablename__ = "notes"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "merchant_id"], ["orders.id", "orders.merchant_id"], ondelete="CASCADE"),
        Index("ix_notes_merchant", "merchant_id", "id"),
        Index("ix_notes_order", "order_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    order_id: Mapped[int | None]
    """None if it is about the merchant."""
    at: Mapped[datetime]
    author: Mapped[str]
    """The writer's email address."""
    is_by_support: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    """Emptied when the buyer's data is purged."""
