"""Check the open orders of merchants with the FCP, and mark shipped ones in Big Cartel."""

from __future__ import annotations

import logging

from jobs.leased import skip_if_leased
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.due import is_track_due
from portal.fulfillment.track.run import track_merchant

log = logging.getLogger(__name__)


def track(merchant_ids: list[int]) -> None:
    for merchant_id in merchant_ids:
        if not is_track_due(session(), merchant_id, track_seconds=settings().track_seconds, now=utc_now()):
            log.info("track.not_due", extra={"merchant": merchant_id})
            continue
        with skip_if_leased("track.already_running", merchant=merchant_id):
            track_merchant(session(), merchant_id, settings())
