"""Who asked for a run, how to speak to them, and what time it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.models import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def no_progress(count: int) -> None:
    """Show progress to nobody."""


def say_nothing(sentence: str) -> None:
    """Say the sentence to nobody."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """A person does not wait for backoff times; a run waits ``lease_wait`` seconds for another worker's lease.

    ``progress`` is called with the number of orders that have just been dealt with, ``say`` with a sentence.
    """

    trigger: Trigger = Trigger.SCHEDULE
    lease_wait: float = 0.0
    progress: Callable[[int], None] = no_progress
    say: Callable[[str], None] = say_nothing
    clock: Callable[[], datetime] = utc_now

    @property
    def by_person(self) -> bool:
        return self.trigger is Trigger.PERSON

    def announce_wait(self, work: str) -> Callable[[], None]:
        """What to call once when another worker holds the lease; ``work`` says what that worker is doing."""
        return lambda: self.say(f"Another worker is {work}; waiting for it to finish.")


ON_SCHEDULE = RunContext()
