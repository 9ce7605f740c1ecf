"""Submit the ready orders of merchants."""

from __future__ import annotations

import logging

from jobs.leased import skip_if_leased
from jobs.turns import take_turns
from portal.clock import utc_now
from portal.current import session, settings, wake
from portal.fulfillment.due import is_submit_due
from portal.fulfillment.submit.run import submit_merchant
from portal.queue import Call, JobName

log = logging.getLogger(__name__)


def submit(merchant_ids: list[int]) -> None:
    for merchant_id, context in take_turns(JobName.SUBMIT, merchant_ids):
        if not is_submit_due(session(), merchant_id, utc_now()):
            log.info("submit.not_due", extra={"merchant": merchant_id})
            continue
        with skip_if_leased("submit.already_running", merchant=merchant_id):
            result = submit_merchant(session(), merchant_id, settings(), context)
            if result.turn_is_over and is_submit_due(session(), merchant_id, utc_now()):
                wake(Call(JobName.SUBMIT, (merchant_id,)))
