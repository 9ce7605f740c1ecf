"""Refresh the product cache of the stores."""

from __future__ import annotations

import logging

from jobs.app import session, settings
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.poll.run import refresh_products

log = logging.getLogger(__name__)


def products(store_ids: list[int]) -> None:
    for store_id in store_ids:
        try:
            refresh_products(session(), store_id, settings())
        except LeaseTakenError:
            log.info("products.already_running", extra={"store": store_id})
