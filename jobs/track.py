"""Check the open orders of merchants with the FCP, and mark shipped ones in Big Cartel."""

from __future__ import annotations

from jobs.leased import skip_if_leased
from portal.current import session, settings
from portal.fulfillment.track.run import track_merchant


def track(merchant_ids: list[int]) -> None:
    for merchant_id in merchant_ids:
        with skip_if_leased("track.already_running", merchant=merchant_id):
            track_merchant(session(), merchant_id, settings())
