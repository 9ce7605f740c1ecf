"""Read the orders of a few stores, then wake the submission of the merchants that have something to send."""

from __future__ import annotations

import logging

from jobs.app import redis, session, settings
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.poll.run import poll_store
from portal.models import Store
from portal.queue import Call, JobName, wake_if_possible

log = logging.getLogger(__name__)


def poll(store_ids: list[int]) -> None:
    for store_id in store_ids:
        try:
            polled = poll_store(session(), store_id, settings()).polled
        except LeaseTakenError:
            log.info("poll.already_running", extra={"store": store_id})
            continue
        if polled.new > polled.held or polled.released:
            merchant_id = session().get_one(Store, store_id).merchant_id
            wake_if_possible(redis(), [Call(JobName.SUBMIT, (merchant_id,))])
