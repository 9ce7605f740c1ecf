"""One Big Cartel order, from first sync to shipped."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, text_enum
from portal.models.states import AT_THE_WAREHOUSE, REOPENED_BY_RETRY, ClosedBecause, OrderState
from portal.models.store import Store
from portal.models.stored import StoredEdits, StoredHold, StoredLine

_AT_THE_WAREHOUSE = ", ".join(f"'{state}'" for state in sorted(AT_THE_WAREHOUSE))
_IS_HELD, _HAS_A_CAUSE = text("state = 'held'"), text("closed_because IS NOT NULL")
_IS_SUBMITTED = text("state = 'submitted'")
_IS_MISSING = text("fcp_missing_since IS NOT NULL")
_IS_CANCELED = text("closed_because = 'canceled'")
_IS_NUMBERED = text("fcp_order_id <> ''")
_IS_UNPURGED = text("state IN ('closed', 'completed') AND purged_at IS NULL")


class Order(Base):
    """An order as Big Cartel sent it, together with what later steps add."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("store_id", "number"),
        # Needed by the foreign key of attempts. Pages also use it to list a merchant's orders.
        UniqueConstraint("merchant_id", "id"),
        # Always the store's merchant: orders are sent with that merchant's credentials.
        ForeignKeyConstraint(["store_id", "merchant_id"], ["stores.id", "stores.merchant_id"]),
        # Settling treats every value but 0 as an earlier failure, and may reject the order because of it.
        CheckConstraint("failures >= 0", name="failures"),
        # Only the worker that holds the claim may record the outcome, so an order has a claim exactly while it is sent.
        CheckConstraint("(state = 'submitting') = (claim <> '')", name="claim"),
        # Once the order is closed, only this time shows that it was sent and must not be sent again.
        CheckConstraint(f"state NOT IN ({_AT_THE_WAREHOUSE}) OR submitted_at IS NOT NULL", name="submitted_at"),
        # Reconciliation compares this time for every completed order and fails without it.
        CheckConstraint("state <> 'completed' OR completed_at IS NOT NULL", name="completed_at"),
        Index("ix_orders_due", "state", "next_attempt_at", "merchant_id"),
        # With the shipping code, by which the list is filtered, so that the index alone counts what matches.
        Index("ix_orders_merchant_states", "merchant_id", "state", "id", "shipping_code"),
        # Alone answers how many orders of each day are in which state.
        Index("ix_orders_days", "merchant_id", "first_seen_at", "placed_at", "state"),
        # Sort a merchant's orders, and those in one state, by age.
        Index("ix_orders_age", "merchant_id", "placed_at", "id"),
        Index("ix_orders_state_age", "merchant_id", "state", "placed_at", "id"),
        Index("ix_orders_store_state", "store_id", "state"),
        Index("ix_orders_number", "number"),
        # These hold only some orders. A query uses one only if it has its condition, word for word.
        Index("ix_orders_held", "store_id", "assessed_at", postgresql_where=_IS_HELD, sqlite_where=_IS_HELD),
        # Each merchant's youngest order at the warehouse says how often to ask about them.
        Index(
            "ix_orders_at_the_warehouse",
            "merchant_id",
            "state_changed_at",
            postgresql_where=_IS_SUBMITTED,
            sqlite_where=_IS_SUBMITTED,
        ),
        Index("ix_orders_fcp_order_id", "fcp_order_id", postgresql_where=_IS_NUMBERED, sqlite_where=_IS_NUMBERED),
        Index("ix_orders_missing", "state", "merchant_id", postgresql_where=_IS_MISSING, sqlite_where=_IS_MISSING),
        Index(
            "ix_orders_closed_because",
            "merchant_id",
            "closed_because",
            "state_changed_at",
            postgresql_where=_HAS_A_CAUSE,
            sqlite_where=_HAS_A_CAUSE,
        ),
        Index(
            "ix_orders_canceled",
            "state",
            "state_changed_at",
            "merchant_id",
            postgresql_where=_IS_CANCELED,
            sqlite_where=_IS_CANCELED,
        ),
        Index(
            "ix_orders_unpurged",
            "state",
            "state_changed_at",
            postgresql_where=_IS_UNPURGED,
            sqlite_where=_IS_UNPURGED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    store_id: Mapped[int]
    number: Mapped[str]
    """Big Cartel's order id (LMFN-543196), which is also the FCP's OrderNumber."""
    # An order in an unknown state would be picked up by no job and counted on no page.
    state: Mapped[OrderState] = mapped_column(text_enum(OrderState, "state"))
    state_changed_at: Mapped[datetime]
    state_reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was closed or rejected, in one sentence; empty if the state says enough."""
    closed_because: Mapped[ClosedBecause | None] = mapped_column(
        text_enum(ClosedBecause, "closed_because", is_checked=False)
    )
    """Set while it is closed; None counts as PERSON (an older version closed it)."""

    document: Mapped[str] = mapped_column(Text)
    """The order as Big Cartel sent it, as JSON; emptied when the buyer's data is purged."""
    placed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    """Time of the last change, by Big Cartel's clock."""
    first_seen_at: Mapped[datetime]

    holds: Mapped[list[StoredHold]] = mapped_column(JSON, default=list)
    """Why it is on hold; empty in every other state."""
    lines: Mapped[list[StoredLine]] = mapped_column(JSON, default=list)
    """The items that are or will be sent."""
    shipping_code: Mapped[str] = mapped_column(default="")
    service: Mapped[str] = mapped_column(default="")
    """Code of the carrier service, sent to the FCP as ShippingMethod."""
    assessed_at: Mapped[datetime | None]

    released: Mapped[bool] = mapped_column(default=False)
    """Set with ``released_holds``. Read only by older versions, while they still run."""
    released_holds: Mapped[list[StoredHold] | None] = mapped_column(JSON(none_as_null=True))
    """The holds that a person has checked, to send the order anyway (HoldRow.releasable). They no longer count, but
    the same reason with another detail does. One without a detail counts for every detail."""
    edits: Mapped[StoredEdits | None] = mapped_column(JSON(none_as_null=True))
    """What people changed about it here, which counts instead of what Big Cartel shows; emptied with the document."""
    unlisted_since: Mapped[datetime | None]
    """Set while Big Cartel's list of unshipped orders doesn't name the order, although its own page says unshipped."""
    claim: Mapped[str] = mapped_column(default="")
    """Owner of the lease under which the order is being submitted."""
    next_attempt_at: Mapped[datetime | None]
    """When the scheduler may try again; None if only a person may."""
    failures: Mapped[int] = mapped_column(default=0)
    first_failed_at: Mapped[datetime | None]

    fcp_order_id: Mapped[str] = mapped_column(default="")
    fcp_status: Mapped[str] = mapped_column(default="")
    """The warehouse's status for the order, exactly as sent."""
    fcp_missing_since: Mapped[datetime | None]
    """Set while the FCP doesn't know an order that it accepted earlier."""
    submitted_at: Mapped[datetime | None]
    shipped_on: Mapped[str] = mapped_column(default="")
    """The warehouse's ship date, YYYY-MM-DD."""
    carrier: Mapped[str] = mapped_column(default="")
    tracking_numbers: Mapped[list[str]] = mapped_column(JSON, default=list)
    completed_at: Mapped[datetime | None]
    dry_run_at: Mapped[datetime | None] = mapped_column("rehearsed_at")
    """Time of the last dry run: the FCP was asked for its verdict without creating an order."""
    dry_run_verdict: Mapped[str | None] = mapped_column("rehearsal", Text)
    """The dry run's verdict: empty if the FCP would accept the order, otherwise its error message."""
    purged_at: Mapped[datetime | None]

    store: Mapped[Store] = relationship(lazy="raise")

    @property
    def is_lost(self) -> bool:
        """Whether the warehouse accepted the order but can't find it anymore."""
        return self.state is OrderState.SUBMITTED and self.fcp_missing_since is not None

    @property
    def is_given_up(self) -> bool:
        """Whether automatic retries have stopped for an order that still has to be sent or marked as shipped."""
        return self.state in {OrderState.READY, OrderState.SHIPPED} and self.next_attempt_at is None

    @property
    def needs_attention(self) -> bool:
        return self.is_lost or self.is_given_up

    @property
    def is_read_before_retry(self) -> bool:
        """Whether a retry first re-reads the order from Big Cartel, because it was rejected, closed or lost."""
        return self.state in REOPENED_BY_RETRY or self.is_lost
