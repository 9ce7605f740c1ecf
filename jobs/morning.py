"""Queue the morning notes that are due."""

from __future__ import annotations

import logging

from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.chores import ChoreName, claim, finish
from portal.incidents.morning import write_notes

log = logging.getLogger(__name__)


def morning() -> None:
    if not claim(session(), ChoreName.MORNING, utc_now()):
        return
    queued = write_notes(session(), settings(), utc_now)
    if queued:
        log.info("morning.queued", extra={"mails": queued})
    finish(session(), ChoreName.MORNING, utc_now())
