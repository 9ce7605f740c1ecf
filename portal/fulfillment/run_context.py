"""Who asked for a round of work, and what may keep a merchant's work from the FCP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.fulfillment.clients import CHECK_TOKEN
from portal.models import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from portal.models import Merchant


def no_progress(count: int) -> None:
    """Nobody watches."""


def no_word(sentence: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Who asked for the round, and how to speak to them.

    A person does not wait for back-off times; ``wait`` seconds are spent on another worker's lease before giving up.
    """

    trigger: Trigger = Trigger.SCHEDULE
    wait: float = 0.0
    progress: Callable[[int], None] = no_progress
    say: Callable[[str], None] = no_word

    @property
    def by_person(self) -> bool:
        return self.trigger is Trigger.PERSON


def kept_from_fcp(merchant: Merchant, asked: RunContext, now: datetime) -> str:
    """Why no call may go to the FCP for this merchant now; empty when it may."""
    if merchant.credentials_refused_at is not None:
        return CHECK_TOKEN
    if not asked.by_person and merchant.fcp_after is not None and merchant.fcp_after > now:
        return merchant.fcp_error
    return ""


def waiting(asked: RunContext, what: str) -> Callable[[], None]:
    return lambda: asked.say(f"Another worker is {what}; waiting for it to finish.")
