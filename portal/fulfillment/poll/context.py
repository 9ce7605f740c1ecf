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

LONG_LIST = 1_000
"""Orders in a list that takes so long to read that other stores aren't to wait for it."""


class LongListError(Exception):
    """The list takes long to read, and other stores wait for their turn."""


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
    is_left: bool = False
    """Whether the list is so long that a job of its own is to read it. Then nothing was read or saved."""
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

    def leave_if_long(self, count: int | None) -> None:
        """Raise LongListError if the list is a long one, and other stores wait for this poll to end."""
        if self.context.turn is not None and (count or 0) > LONG_LIST:
            raise LongListError
