"""The words by which each order is found."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base

WORDS = "array_to_tsvector(string_to_array(terms, ' '))"
"""The words as PostgreSQL indexes them. A query uses the index only if it has this expression."""


class OrderSearch(Base):
    """One row per order, beside it because an order changes its state often and its words seldom."""

    __tablename__ = "order_search"
    __table_args__ = (
        Index("ix_order_search_merchant", "merchant_id", "order_id"),
        # Searches read new entries one after the other until they are many enough to be put in order.
        Index(
            "ix_order_search_words",
            text(WORDS),
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 256},
        ).ddl_if(dialect="postgresql"),
    )

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    merchant_id: Mapped[int]
    terms: Mapped[str] = mapped_column(Text)
    """Words as portal.rules.search_words spells them, with a blank between them. The first is merchant_word(): with it,
    the index alone finds the orders of one merchant, however many others have the same words."""
