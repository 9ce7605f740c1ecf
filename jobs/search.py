"""Store the words by which people find orders, for those that were stored before there was a search."""

from __future__ import annotations

import logging
import time

from portal.clock import utc_now
from portal.current import session
from portal.fulfillment import search_rows
from portal.fulfillment.chores import ChoreName, claim, finish, interrupt

log = logging.getLogger(__name__)

RUN_SECONDS = 10.0
"""Seconds after which a run ends, so that others get the worker. The next tick starts the next run."""


def search() -> None:
    if not claim(session(), ChoreName.SEARCH, utc_now()):
        log.info("search.not_due")
        return
    ends_at = time.monotonic() + RUN_SECONDS
    filled = 0
    for orders in search_rows.fill(session()):
        filled += orders
        if time.monotonic() >= ends_at:
            log.info("search.filled", extra={"orders": filled})
            interrupt(session(), ChoreName.SEARCH, utc_now())
            return
    if filled:
        log.info("search.filled", extra={"orders": filled})
    finish(session(), ChoreName.SEARCH, utc_now())
