"""Wake workers for what a page has just committed."""

from __future__ import annotations

from portal import access, current
from portal.actions.merchants import poll_stores_soon
from portal.clock import utc_now
from portal.queue import Call, JobName


def wake_polls(*also: Call) -> None:
    """Have the stores of the page's merchant polled now, so that what nothing holds any more is sent. Commits."""
    store_ids = poll_stores_soon(current.session(), access.merchant().id, utc_now())
    current.wake(*(Call(JobName.POLL, (store_id,)) for store_id in store_ids), *also)
