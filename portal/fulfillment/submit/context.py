"""What the steps of one run of submitting work with, and what they have done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.models import Order

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.clients.fcp import Fcp
    from portal.engine.leases import HeldLease
    from portal.fulfillment.run_context import RunContext
    from portal.models import Merchant


@dataclass(slots=True)
class SubmitResult:
    """What one run did, as numbers of orders, and what went wrong."""

    accepted: int = 0
    rejected: int = 0
    held: int = 0
    not_sent: int = 0
    """Waiting for the next try when the last drain ended."""
    unconfirmed: int = 0
    """Without a clear answer when the orders were last settled."""
    problem: str = ""


@dataclass(slots=True)
class Submission:
    """One run for one merchant. ``merchant`` is as it was when ``fcp`` was made for it; the lease is the merchant's."""

    session: Session
    merchant: Merchant
    fcp: Fcp
    lease: HeldLease
    context: RunContext
    concurrency: int
    result: SubmitResult = field(default_factory=SubmitResult)
    sealed_token: str = ""
    """The one that ``fcp`` was made with."""

    def __post_init__(self) -> None:
        self.sealed_token = self.merchant.sealed_token


class StoredOrder(NamedTuple):
    """What is read of an order to assess and pack it."""

    id: int
    store_id: int
    number: str
    document: str
    released: bool
    assessed_at: datetime | None
    failures: int
    first_failed_at: datetime | None


def select_stored() -> Select[int, int, str, str, bool, datetime | None, int, datetime | None]:
    """Select the columns of StoredOrder, in its order."""
    return select(
        Order.id,
        Order.store_id,
        Order.number,
        Order.document,
        Order.released,
        Order.assessed_at,
        Order.failures,
        Order.first_failed_at,
    )
