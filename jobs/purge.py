"""Purge buyers' data ``PURGE_DAYS`` after their orders were completed or closed, and expired log-ins."""

from __future__ import annotations

import logging
import time

from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.chores import ChoreName, claim, finish, interrupt
from portal.fulfillment.purge import purge as purge_orders
from portal.people import log_ins

log = logging.getLogger(__name__)

RUN_SECONDS = 20.0
"""Seconds after which a run ends, so that others get the worker. The next tick starts the next run."""


def purge() -> None:
    if not claim(session(), ChoreName.PURGE, utc_now()):
        log.info("purge.not_due")
        return
    ends_at = time.monotonic() + RUN_SECONDS
    purged, is_done = 0, True
    for orders in purge_orders(session(), days=settings().purge_days, now=utc_now()):
        purged += orders
        if time.monotonic() >= ends_at:
            is_done = False
            break
    if purged:
        log.info("purge.done", extra={"orders": purged})
    if not is_done:
        interrupt(session(), ChoreName.PURGE, utc_now())
        return
    log_ins.delete_expired(session(), utc_now())
    finish(session(), ChoreName.PURGE, utc_now())
