"""A merchant's Big Cartel store and the state of its polls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    and_,
    column,
    literal_column,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.account import Merchant
from portal.models.base import Base
from portal.models.stored import StoredReconciliation

_IS_CONNECTED = text("sealed_token <> '' AND reconnect_needed_at IS NULL")
_IS_ASKED_FOR_A_DRY_RUN = column("rehearsal_asked_at").is_not(None)


class Store(Base):
    __tablename__ = "stores"
    __table_args__ = (
        # Needed by the foreign key of orders. Also the index for a merchant's stores: merchant_id has none of its own.
        UniqueConstraint("merchant_id", "id"),
        # Failures in a row; they set the length of the backoff.
        CheckConstraint("poll_failures >= 0", name="poll_failures"),
        # These hold only some stores. A query uses one only if it has its condition, word for word.
        Index(
            "ix_stores_products_refreshed_at",
            "products_refreshed_at",
            postgresql_where=_IS_CONNECTED,
            sqlite_where=_IS_CONNECTED,
        ),
        Index(
            "ix_stores_dry_run_asked",
            "rehearsal_asked_at",
            postgresql_where=_IS_ASKED_FOR_A_DRY_RUN,
            sqlite_where=_IS_ASKED_FOR_A_DRY_RUN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    account_id: Mapped[str] = mapped_column(unique=True)
    """Big Cartel's account ID. A store belongs to one merchant."""
    name: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="", server_default="")
    """The account's time zone as Big Cartel names it; empty until it is read."""
    sealed_token: Mapped[str] = mapped_column(Text, default="")
    """Access token, encrypted (portal.crypto); empty if disconnected."""
    connected_at: Mapped[datetime]
    live: Mapped[bool] = mapped_column(default=False)
    """False until a person has chosen which orders to send; nothing is submitted before that."""
    starts_at: Mapped[datetime | None]
    """Orders placed before this time are held; None means all orders are sent."""
    dry_run_asked_at: Mapped[datetime | None] = mapped_column("rehearsal_asked_at")
    """Set while a dry run of the waiting orders is queued or running."""
    dry_run_total: Mapped[int] = mapped_column("rehearsal_total", default=0)
    """Number of orders in that dry run."""
    dry_run_problem: Mapped[str] = mapped_column("rehearsal_problem", Text, default="")
    """Why the last dry run stopped early, as a sentence."""
    reconnect_needed_at: Mapped[datetime | None]
    """Set when Big Cartel no longer accepts the token; we don't call it until the store is reconnected."""
    next_poll_at: Mapped[datetime | None] = mapped_column(index=True)
    """None if the store isn't polled (disconnected, or needs reconnecting)."""
    cursor: Mapped[datetime | None]
    """Time of the latest change seen in any answer, by Big Cartel's clock."""
    window_count: Mapped[int | None]
    """Number of orders Big Cartel should list since the cursor minus its overlap, if nothing has changed."""
    last_polled_at: Mapped[datetime | None]
    last_swept_at: Mapped[datetime | None]
    """Time of the last poll that read every unshipped order."""
    poll_failures: Mapped[int] = mapped_column(default=0)
    poll_error: Mapped[str] = mapped_column(Text, default="")
    """Why the last poll failed, as a sentence; empty if it succeeded."""
    held_assessed_at: Mapped[datetime | None]
    """When a poll last made sure that every order on hold is assessed by the current rules and products."""
    held_read_at: Mapped[datetime | None]
    """Until when the orders on hold are counted in the products to fix; None if all are to be read again."""
    products_changed_at: Mapped[datetime | None]
    products_refreshed_at: Mapped[datetime | None]
    reconciliation: Mapped[StoredReconciliation | None] = mapped_column("ledger", JSON)
    """Reconciliation figures of the last full sweep."""
    unusable_skus: Mapped[int] = mapped_column(default=0, server_default="0")
    """Products on sale whose SKU can't be sent, as of the last time the product list was read."""
    skus_judged_for: Mapped[datetime | None]
    """``products_changed_at``, while every change up to then has reached the SKU verdicts. It differs after a change by
    an older version, until a sync judges all products again."""
    noted_on: Mapped[str] = mapped_column(default="", server_default="")
    """The last day, by the store's time zone and as YYYY-MM-DD, for which the morning note was considered."""

    merchant: Mapped[Merchant] = relationship(lazy="joined", innerjoin=True)

    @hybrid_property
    def is_connected(self) -> bool:
        """Whether we may call Big Cartel: we have a token, and Big Cartel still accepts it."""
        return bool(self.sealed_token) and self.reconnect_needed_at is None

    @is_connected.inplace.expression
    @classmethod
    def _is_connected(cls) -> ColumnElement[bool]:
        return and_(cls.sealed_token != literal_column("''"), cls.reconnect_needed_at.is_(None))

    @property
    def title(self) -> str:
        return self.name or f"account {self.account_id}"
