"""What the steps of one poll share: its inputs and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.bigcartel import BigCartel
    from portal.fulfillment.run_context import RunContext
    from portal.models import Store


@dataclass(slots=True)
class PollResult:
    """What one poll found, as order counts, and what went wrong."""

    read: int = 0
    new: int = 0
    held: int = 0
    """New orders that are on hold."""
    released: int = 0
    """Orders that were on hold and are now ready."""
    closed: int = 0
    reopened: int = 0
    """Orders that we had closed because of Big Cartel, and that it lists as unshipped again. Those now ready to send
    count as released, too."""
    swept: bool = False
    """Whether the poll read every unshipped order."""
    nameless: int = 0
    """Orders that Big Cartel sent without a number. They can't be told apart, so they can't be processed."""
    problem: str = ""


@dataclass(slots=True)
class Poll:
    """One poll of one store. ``store`` is as it was when its client ``bigcartel`` was created."""

    session: Session
    store: Store
    bigcartel: BigCartel
    settings: Settings
    context: RunContext
    result: PollResult
