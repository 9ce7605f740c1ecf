"""What the steps of one run of tracking work with, and what they have done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.engine.leases import HeldLease
    from portal.fulfillment.run_context import RunContext
    from portal.models import Merchant


@dataclass(slots=True)
class TrackResult:
    """What one run did, as numbers of orders, and what went wrong."""

    shipped: int = 0
    cancelled: int = 0
    missing: int = 0
    """Orders that the warehouse took and does not know any more."""
    completed: int = 0
    """Set to shipped in Big Cartel."""
    failed: int = 0
    """Not set to shipped in Big Cartel yet."""
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tracking:
    """One run for one merchant; the lease is the merchant's, so that an open attempt is a dead worker's."""

    session: Session
    merchant: Merchant
    lease: HeldLease
    context: RunContext
    result: TrackResult = field(default_factory=TrackResult)
