"""Refresh the product caches of stores."""

from __future__ import annotations

import logging

from jobs.leased import skip_if_leased
from jobs.turns import take_turns
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.due import is_refresh_due
from portal.fulfillment.products import refresh_products
from portal.queue import JobName

log = logging.getLogger(__name__)


def products(store_ids: list[int]) -> None:
    for store_id, _ in take_turns(JobName.PRODUCTS, store_ids):
        if not is_refresh_due(session(), store_id, utc_now()):
            log.info("products.not_due", extra={"store": store_id})
            continue
        with skip_if_leased("products.already_running", store=store_id):
            refresh_products(session(), store_id, settings())
