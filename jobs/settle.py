"""Settle the unconfirmed orders of merchants."""

from __future__ import annotations

import logging

from jobs.leased import skip_if_leased
from jobs.turns import take_turns
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.due import is_settle_due
from portal.fulfillment.submit.run import settle_merchant
from portal.queue import JobName

log = logging.getLogger(__name__)


def settle(merchant_ids: list[int]) -> None:
    for merchant_id, context in take_turns(JobName.SETTLE, merchant_ids):
        if not is_settle_due(session(), merchant_id, utc_now()):
            log.info("settle.not_due", extra={"merchant": merchant_id})
            continue
        with skip_if_leased("settle.already_running", merchant=merchant_id):
            settle_merchant(session(), merchant_id, settings(), context)
