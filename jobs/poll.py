"""Poll stores, and wake submission for merchants with something to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.leased import skip_if_leased
from jobs.turns import calls_of
from portal.clock import utc_now
from portal.current import session, settings, wake
from portal.fulfillment.poll.claims import claimed
from portal.fulfillment.poll.idle import record_idle
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.store_events import is_due_again
from portal.models import Store
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from collections.abc import Set

    from portal.fulfillment.poll.claims import Claim


def poll(store_ids: list[int]) -> None:
    to_send = set()
    for store_id in claimed(session(), store_ids, utc_now, _record_idle):
        with skip_if_leased("poll.already_running", store=store_id):
            result = poll_store(session(), store_id, settings())
            if result.new > result.held or result.released:
                to_send.add(session().get_one(Store, store_id).merchant_id)
            if is_due_again(session(), store_id, utc_now()):
                # Whoever made it due woke a job that found it being polled. The tick would wake the next one later.
                wake(Call(JobName.POLL, (store_id,)))
    if to_send:
        # All at once, so that they share jobs. Those of a job that ends before this are found by the tick.
        wake(*(Call(JobName.SUBMIT, (merchant_id,)) for merchant_id in sorted(to_send)))


def _record_idle(claim: Claim) -> Set[int]:
    with calls_of(JobName.POLL) as share:
        return record_idle(session(), settings(), claim, utc_now, share.take)
