"""Settle what is in doubt for the merchants."""

from __future__ import annotations

import logging

from jobs.app import session, settings
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.submit.run import settle_merchant

log = logging.getLogger(__name__)


def settle(merchant_ids: list[int]) -> None:
    for merchant_id in merchant_ids:
        try:
            settle_merchant(session(), merchant_id, settings())
        except LeaseTakenError:
            log.info("settle.already_running", extra={"merchant": merchant_id})
