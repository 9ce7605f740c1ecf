"""Poll stores, and wake submission for merchants with something to send.

A store whose list takes long to read keeps no others waiting: it goes to the back of the queue, in a job of its own.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.leased import skip_if_leased
from jobs.turns import SHARED_SECONDS, calls_of
from portal.clock import utc_now
from portal.current import session, settings, wake
from portal.fulfillment.poll.claims import claimed
from portal.fulfillment.poll.idle import record_idle
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.store_events import is_due_again
from portal.models import Store
from portal.queue import Call, JobName

if TYPE_CHECKING:
    from collections.abc import Set

    from portal.fulfillment.poll.claims import Claim

log = logging.getLogger(__name__)


def poll(store_ids: list[int]) -> None:
    to_send, to_read_alone = set(), []
    context = RunContext(turn=timedelta(seconds=SHARED_SECONDS)) if len(store_ids) > 1 else ON_SCHEDULE
    for store_id in claimed(session(), store_ids, utc_now, _record_idle):
        with skip_if_leased("poll.already_running", store=store_id):
            result = poll_store(session(), store_id, settings(), context)
            if result.is_left:
                to_read_alone.append(store_id)
                continue
            if result.new > result.held or result.released:
                to_send.add(session().get_one(Store, store_id).merchant_id)
            if is_due_again(session(), store_id, utc_now()):
                # Whoever made it due woke a job that found it being polled. The tick would wake the next one later.
                wake(Call(JobName.POLL, (store_id,)))
    if to_send:
        # All at once, so that they share jobs. Those of a job that ends before this are found by the tick.
        wake(*(Call(JobName.SUBMIT, (merchant_id,)) for merchant_id in sorted(to_send)))
    for store_id in to_read_alone:
        log.info("poll.long_list", extra={"store": store_id})
        # One at a time, so that they share no job.
        wake(Call(JobName.POLL, (store_id,)))


def _record_idle(claim: Claim) -> Set[int]:
    with calls_of(JobName.POLL) as share:
        return record_idle(session(), settings(), claim, utc_now, share.take)
