"""What the steps of one submit run share: its inputs and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.fulfillment.submit.waited import WaitedOrders
from portal.models import Order

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.engine.leases import HeldLease
    from portal.fulfillment.run_context import RunContext
    from portal.fulfillment.warehouse import Warehouse
    from portal.models import Merchant, StoredHold


@dataclass(slots=True)
class SubmitResult:
    """What one run did, as order counts, and what went wrong."""

    accepted: int = 0
    rejected: int = 0
    held: int = 0
    not_sent: int = 0
    """Orders waiting for their next try when the last drain ended."""
    unconfirmed: int = 0
    """Orders still without a clear answer when they were last settled."""
    problem: str = ""


@dataclass(slots=True)
class Submission:
    """One run for one merchant, under its lease."""

    session: Session
    warehouse: Warehouse
    lease: HeldLease
    context: RunContext
    settings: Settings
    result: SubmitResult = field(default_factory=SubmitResult)
    waited: WaitedOrders = field(init=False)

    def __post_init__(self) -> None:
        self.waited = WaitedOrders(self)

    @property
    def merchant(self) -> Merchant:
        return self.warehouse.merchant

    @property
    def fcp(self) -> Fcp:
        return self.warehouse.fcp

    @property
    def concurrency(self) -> int:
        return self.settings.fcp_concurrency


class StoredOrder(NamedTuple):
    """The columns needed to assess and pack an order."""

    id: int
    store_id: int
    number: str
    document: str
    released_holds: list[StoredHold] | None
    unlisted_since: datetime | None
    first_seen_at: datetime
    assessed_at: datetime | None
    failures: int
    first_failed_at: datetime | None


def select_stored() -> Select[
    int,
    int,
    str,
    str,
    list[StoredHold] | None,
    datetime | None,
    datetime,
    datetime | None,
    int,
    datetime | None,
]:
    """Select the columns of StoredOrder, in its order."""
    return select(
        Order.id,
        Order.store_id,
        Order.number,
        Order.document,
        Order.released_holds,
        Order.unlisted_since,
        Order.first_seen_at,
        Order.assessed_at,
        Order.failures,
        Order.first_failed_at,
    )
