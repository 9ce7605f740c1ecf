"""Wake workers for what a page has just committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal import access, current
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from collections.abc import Iterable


def wake_polls(*also: Call) -> None:
    """Have the stores of the page's merchant polled now, so that what nothing holds any more is sent."""
    polls: Iterable[Call] = (
        Call(JobName.POLL, (store.id,)) for store in access.stores() if store.next_poll_at is not None
    )
    current.wake(*polls, *also)
