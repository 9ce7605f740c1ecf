"""What the steps of one poll work with, and what they have found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartel
    from portal.fulfillment.run_context import RunContext
    from portal.models import Store


@dataclass(slots=True)
class PollResult:
    """What one poll found, as numbers of orders, and what went wrong."""

    read: int = 0
    new: int = 0
    held: int = 0
    """New ones that are held."""
    released: int = 0
    """Held before, ready now."""
    closed: int = 0
    swept: bool = False
    """Whether it read every unshipped order."""
    nameless: int = 0
    """Orders in Big Cartel's answer without a number: nobody could tell them apart, so they cannot be taken."""
    problem: str = ""


@dataclass(slots=True)
class Poll:
    """One poll of one store. ``store`` is as it was when ``bigcartel`` was made for it."""

    session: Session
    store: Store
    bigcartel: BigCartel
    context: RunContext
    result: PollResult
