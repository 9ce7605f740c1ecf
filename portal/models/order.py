"""One Big Cartel order on its way to the warehouse and back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, text_enum
from portal.models.states import AT_THE_WAREHOUSE, REOPENED_BY_RETRY, OrderState
from portal.models.store import Store
from portal.models.stored import StoredHold, StoredLine

_AT_THE_WAREHOUSE = ", ".join(f"'{state}'" for state in sorted(AT_THE_WAREHOUSE))


class Order(Base):
    """The row keeps the order as Big Cartel sent it; what later steps learn is written beside it."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("store_id", "number"),
        # The foreign key of attempts needs it. Pages also list a merchant's orders by it.
        UniqueConstraint("merchant_id", "id"),
        # The merchant is always the store's merchant: orders are sent under that merchant's credentials.
        ForeignKeyConstraint(["store_id", "merchant_id"], ["stores.id", "stores.merchant_id"]),
        # Settling reads every value but 0 as an earlier failure, and may reject the order because of it.
        CheckConstraint("failures >= 0", name="failures"),
        # Only the worker named by the claim may record the outcome, so an order has a claim exactly while it is sent.
        CheckConstraint("(state = 'submitting') = (claim <> '')", name="claim"),
        # When the order is closed later, this time alone shows that it was sent and must not be sent again.
        CheckConstraint(f"state NOT IN ({_AT_THE_WAREHOUSE}) OR submitted_at IS NOT NULL", name="submitted_at"),
        # The reconciliation compares this time for every completed order and fails without it.
        CheckConstraint("state <> 'completed' OR completed_at IS NOT NULL", name="completed_at"),
        Index("ix_orders_due", "state", "next_attempt_at", "merchant_id"),
        Index("ix_orders_merchant_state", "merchant_id", "state", "id"),
        Index("ix_orders_first_seen", "merchant_id", "first_seen_at"),
        Index("ix_orders_store_state", "store_id", "state"),
        Index("ix_orders_number", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    store_id: Mapped[int]
    number: Mapped[str]
    """Big Cartel's order id (LMFN-543196), which is also the FCP's OrderNumber."""
    # No job picks up an order in an unknown state, and no page counts it.
    state: Mapped[OrderState] = mapped_column(text_enum(OrderState, "state"))
    state_changed_at: Mapped[datetime]
    state_reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was closed or refused, in one sentence; empty where the state says all."""

    document: Mapped[str] = mapped_column(Text)
    """JSON: the order as Big Cartel sent it; emptied when the buyer's data is purged."""
    placed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    """Big Cartel's own time of the last change."""
    first_seen_at: Mapped[datetime]

    holds: Mapped[list[StoredHold]] = mapped_column(JSON, default=list)
    """Empty unless it is held."""
    lines: Mapped[list[StoredLine]] = mapped_column(JSON, default=list)
    """What is (to be) sent, item by item."""
    shipping_code: Mapped[str] = mapped_column(default="")
    service: Mapped[str] = mapped_column(default="")
    """Code of the carrier's service that goes to the FCP as ShippingMethod."""
    assessed_at: Mapped[datetime | None]

    released: Mapped[bool] = mapped_column(default=False)
    """A person has looked and says that it is to be sent (HoldRow.releasable)."""
    claim: Mapped[str] = mapped_column(default="")
    """Owner of the lease under which it is being submitted."""
    next_attempt_at: Mapped[datetime | None]
    """When the clock may try again; None when only a person may."""
    failures: Mapped[int] = mapped_column(default=0)
    first_failed_at: Mapped[datetime | None]

    fcp_order_id: Mapped[str] = mapped_column(default="")
    fcp_status: Mapped[str] = mapped_column(default="")
    """The warehouse's own word."""
    fcp_missing_since: Mapped[datetime | None]
    """Set while the FCP does not know an order that it took."""
    submitted_at: Mapped[datetime | None]
    shipped_on: Mapped[str] = mapped_column(default="")
    """The warehouse's ship date, YYYY-MM-DD."""
    carrier: Mapped[str] = mapped_column(default="")
    tracking_numbers: Mapped[list[str]] = mapped_column(JSON, default=list)
    completed_at: Mapped[datetime | None]
    rehearsed_at: Mapped[datetime | None]
    """When the FCP was last asked for its verdict, without an order coming of it."""
    rehearsal: Mapped[str | None] = mapped_column(Text)
    """That verdict: empty when the FCP would take the order, else its words of refusal."""
    purged_at: Mapped[datetime | None]

    store: Mapped[Store] = relationship(lazy="raise")

    @property
    def is_lost(self) -> bool:
        """The warehouse accepted it and does not know it any more."""
        return self.state is OrderState.SUBMITTED and self.fcp_missing_since is not None

    @property
    def is_given_up(self) -> bool:
        """The clock has given up on an order that it would otherwise try again."""
        return self.state in {OrderState.READY, OrderState.SHIPPED} and self.next_attempt_at is None

    @property
    def needs_attention(self) -> bool:
        return self.is_lost or self.is_given_up

    @property
    def is_read_before_retry(self) -> bool:
        """Something was wrong with it, or it is from long ago: it is sent only as Big Cartel has it now."""
        return self.state in REOPENED_BY_RETRY or self.is_lost
