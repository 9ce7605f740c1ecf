"""Submit the ready orders of merchants."""

from __future__ import annotations

from jobs.leased import skip_if_leased
from portal.current import session, settings
from portal.fulfillment.submit.run import submit_merchant


def submit(merchant_ids: list[int]) -> None:
    for merchant_id in merchant_ids:
        with skip_if_leased("submit.already_running", merchant=merchant_id):
            submit_merchant(session(), merchant_id, settings())
