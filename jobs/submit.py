"""Submit what is ready for the merchants."""

from __future__ import annotations

import logging

from jobs.app import session, settings
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.submit.run import submit_merchant

log = logging.getLogger(__name__)


def submit(merchant_ids: list[int]) -> None:
    for merchant_id in merchant_ids:
        try:
            submit_merchant(session(), merchant_id, settings())
        except LeaseTakenError:
            log.info("submit.already_running", extra={"merchant": merchant_id})
