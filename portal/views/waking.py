"""Wake workers after a page has committed a change."""

from __future__ import annotations

from portal import access, current
from portal.actions.merchants import poll_stores_soon
from portal.clock import utc_now
from portal.queue import Call, JobName


def wake_polls(*also: Call) -> None:
    """Have the current merchant's stores polled now so that orders no longer on hold are sent. Commits."""
    store_ids = poll_stores_soon(current.session(), access.merchant().id, utc_now())
    current.wake(*(Call(JobName.POLL, (store_id,)) for store_id in store_ids), *also)
