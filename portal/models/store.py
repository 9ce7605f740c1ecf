"""A merchant's Big Cartel shop and how its polls go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Text, UniqueConstraint, and_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.account import Merchant
from portal.models.base import Base
from portal.models.stored import StoredReconciliation


class Store(Base):
    __tablename__ = "stores"
    __table_args__ = (
        # The foreign key of orders needs it. It also finds a merchant's stores: merchant_id has no index of its own.
        UniqueConstraint("merchant_id", "id"),
        # Counts failures in a row; the length of the backoff follows from it.
        CheckConstraint("poll_failures >= 0", name="poll_failures"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    account_id: Mapped[str] = mapped_column(unique=True)
    """Big Cartel's account id: one shop belongs to one merchant."""
    name: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    sealed_token: Mapped[str] = mapped_column(Text, default="")
    """Access token, encrypted (portal.crypto); empty when disconnected."""
    connected_at: Mapped[datetime]
    live: Mapped[bool] = mapped_column(default=False)
    """False until a person has chosen which orders to send: nothing is submitted before."""
    starts_at: Mapped[datetime | None]
    """Orders placed before this time are held; None sends all."""
    rehearsal_asked_at: Mapped[datetime | None]
    """Set while the FCP is (to be) asked what it thinks of the backlog."""
    rehearsal_total: Mapped[int] = mapped_column(default=0)
    """How many orders that rehearsal asks about."""
    rehearsal_problem: Mapped[str] = mapped_column(Text, default="")
    """Why the last rehearsal ended early, as a sentence."""
    reconnect_needed_at: Mapped[datetime | None]
    """Set when Big Cartel refused the token: no call to it until the store is connected anew."""
    next_poll_at: Mapped[datetime | None] = mapped_column(index=True)
    """None while nothing is to be polled (reconnect needed, disconnected)."""
    cursor: Mapped[datetime | None]
    """The latest change seen in any answer, in Big Cartel's own time."""
    window_count: Mapped[int | None]
    """How many orders Big Cartel should list from the cursor's overlap on while nothing changes."""
    last_polled_at: Mapped[datetime | None]
    last_swept_at: Mapped[datetime | None]
    """The last poll that read every unshipped order."""
    poll_failures: Mapped[int] = mapped_column(default=0)
    poll_error: Mapped[str] = mapped_column(Text, default="")
    """What went wrong at the last poll, as a sentence; empty when it went well."""
    products_changed_at: Mapped[datetime | None]
    products_refreshed_at: Mapped[datetime | None]
    reconciliation: Mapped[StoredReconciliation | None] = mapped_column("ledger", JSON)
    """The two sums of the last full sweep."""

    merchant: Mapped[Merchant] = relationship(lazy="joined", innerjoin=True)

    @hybrid_property
    def is_connected(self) -> bool:
        """Whether Big Cartel may be called: we have a token, and Big Cartel has not refused it."""
        return bool(self.sealed_token) and self.reconnect_needed_at is None

    @is_connected.inplace.expression
    @classmethod
    def _is_connected(cls) -> ColumnElement[bool]:
        return and_(cls.sealed_token != "", cls.reconnect_needed_at.is_(None))

    @property
    def title(self) -> str:
        return self.name or f"account {self.account_id}"
