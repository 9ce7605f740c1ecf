"""How a run was started, where it reports to, and its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.models import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta


def no_progress(count: int) -> None:
    """Report no progress."""


def say_nothing(sentence: str) -> None:
    """Discard the sentence."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """How a run was started and how it reports. A run started by a person ignores backoff times.

    A run begins nothing new once its ``turn`` is over, because others wait; without one, it does all there is to do. It
    makes at most ``calls_at_once`` calls at the same time; None stands for as many as it usually does. It waits
    ``lease_wait`` seconds for another worker's lease. ``progress`` is called with the number of orders just
    processed, ``say`` with a sentence to show.
    """

    trigger: Trigger = Trigger.SCHEDULE
    turn: timedelta | None = None
    calls_at_once: int | None = None
    lease_wait: float = 0.0
    progress: Callable[[int], None] = no_progress
    say: Callable[[str], None] = say_nothing
    clock: Callable[[], datetime] = utc_now

    @property
    def by_person(self) -> bool:
        return self.trigger is Trigger.PERSON

    def turn_ends_at(self) -> datetime | None:
        """Return when a turn that begins now is over."""
        return None if self.turn is None else self.clock() + self.turn

    def at_once(self, usual: int) -> int:
        """Return how many calls the run makes at the same time where it usually makes ``usual``."""
        return usual if self.calls_at_once is None else min(usual, self.calls_at_once)

    def announce_wait(self, work: str) -> Callable[[], None]:
        """Return a function that says we are waiting for another worker; ``work`` is what that worker is doing."""
        return lambda: self.say(f"Another worker is {work}; waiting for it to finish.")


ON_SCHEDULE = RunContext()
