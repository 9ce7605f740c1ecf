"""What the steps of one submit run share: its inputs and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.fulfillment.submit.waited import WaitedOrders

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.engine.leases import HeldLease
    from portal.fulfillment.run_context import RunContext
    from portal.fulfillment.warehouse import Warehouse
    from portal.models import Merchant


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
    turn_is_over: bool = False
    """Whether the run ended because its turn was over. There may be more to send."""
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
        self.waited = WaitedOrders(self.session, self.merchant.id, self.context, self.settings)

    @property
    def merchant(self) -> Merchant:
        return self.warehouse.merchant

    @property
    def fcp(self) -> Fcp:
        return self.warehouse.fcp

    @property
    def concurrency(self) -> int:
        return self.context.at_once(self.settings.fcp_concurrency)
