"""Ask the FCP for open orders of the merchants, and mark the shipped ones in Big Cartel."""

from __future__ import annotations

import logging

from jobs.app import session, settings
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.track.run import track_merchant

log = logging.getLogger(__name__)


def track(merchant_ids: list[int]) -> None:
    for merchant_id in merchant_ids:
        try:
            track_merchant(session(), merchant_id, settings())
        except LeaseTakenError:
            log.info("track.already_running", extra={"merchant": merchant_id})
