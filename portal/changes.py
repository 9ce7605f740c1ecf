"""What a page's change of the rules sets off: it is written down, committed, and the orders are looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal import access, queue
from portal.clock import utc_now
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from collections.abc import Iterable


def save(action: str, *, subject: str = "", reason: str = "") -> None:
    """Commit a change by which the merchant's orders are held or released, and have a worker look at them now."""
    now = utc_now()
    access.merchant().rules_changed_at = now
    access.record(action, subject=subject, reason=reason)
    look_again()


def look_again(*, also: Iterable[Call] = ()) -> None:
    """Poll the merchant's stores now, so that what nothing holds any more leaves. Commits."""
    now = utc_now()
    polled = [store for store in access.stores() if store.next_poll_at is not None]
    for store in polled:
        store.next_poll_at = now
    access.session().commit()
    polls = [Call(JobName.POLL, (store.id,)) for store in polled]
    queue.wake_if_possible(queue.connect(access.settings().redis_url), [*polls, *also])
