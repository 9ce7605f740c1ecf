"""Purge buyers' data ``PURGE_DAYS`` after their orders were completed or closed, and expired log-ins."""

from __future__ import annotations

import logging

from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.chores import ChoreName, claim, finish
from portal.fulfillment.purge import purge as purge_orders
from portal.people import log_ins

log = logging.getLogger(__name__)


def purge() -> None:
    if not claim(session(), ChoreName.PURGE, utc_now()):
        log.info("purge.not_due")
        return
    purged = purge_orders(session(), days=settings().purge_days, now=utc_now())
    if purged:
        log.info("purge.done", extra={"orders": purged})
    log_ins.delete_expired(session(), utc_now())
    finish(session(), ChoreName.PURGE, utc_now())
