"""Check the open orders of merchants with the FCP, and mark shipped ones in Big Cartel."""

from __future__ import annotations

import logging
from functools import partial

from jobs.leased import skip_if_leased
from jobs.turns import take_turns
from portal.clock import utc_now
from portal.current import session, settings, wake
from portal.fulfillment.due import is_track_due
from portal.fulfillment.track.run import track_merchant
from portal.queue import Call, JobName

log = logging.getLogger(__name__)


def track(merchant_ids: list[int]) -> None:
    is_due = partial(is_track_due, session(), track_seconds=settings().track_seconds)
    for merchant_id, context in take_turns(JobName.TRACK, merchant_ids):
        if not is_due(merchant_id, now=utc_now()):
            log.info("track.not_due", extra={"merchant": merchant_id})
            continue
        with skip_if_leased("track.already_running", merchant=merchant_id):
            result = track_merchant(session(), merchant_id, settings(), context)
            if result.turn_is_over and is_due(merchant_id, now=utc_now()):
                wake(Call(JobName.TRACK, (merchant_id,)))
