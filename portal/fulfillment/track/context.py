"""What the steps of one tracking run share: its inputs and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.orm import Session

    from portal.engine.leases import HeldLease
    from portal.fulfillment.run_context import RunContext
    from portal.models import Merchant


@dataclass(slots=True)
class TrackResult:
    """What one run did, as order counts, and what went wrong."""

    shipped: int = 0
    cancelled: int = 0
    missing: int = 0
    """Orders that the warehouse accepted but can't find anymore."""
    completed: int = 0
    """Orders marked as shipped in Big Cartel."""
    failed: int = 0
    """Orders that we failed to mark as shipped in Big Cartel."""
    turn_is_over: bool = False
    """Whether the run ended because its turn was over. There may be more to mark."""
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tracking:
    """One run for one merchant, under its lease: any attempt still open belongs to a dead worker."""

    session: Session
    merchant: Merchant
    lease: HeldLease
    context: RunContext
    often: timedelta
    """The interval between two calls about an order that hasn't been at the warehouse for long."""
    result: TrackResult = field(default_factory=TrackResult)
