"""Ask the FCP what it thinks of the stores' orders, without an order coming of it."""

from __future__ import annotations

import logging

from jobs.app import session, settings
from portal.engine.leases import LeaseTakenError
from portal.fulfillment.rehearse import rehearse_store

log = logging.getLogger(__name__)


def rehearse(store_ids: list[int]) -> None:
    for store_id in store_ids:
        try:
            rehearse_store(session(), store_id, settings())
        except LeaseTakenError:
            log.info("rehearse.already_running", extra={"store": store_id})
