"""Queue the morning notes that are due."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import session
from portal.fulfillment.chores import ChoreName, claim, finish


def morning() -> None:
    if claim(session(), ChoreName.MORNING, utc_now()):
        finish(session(), ChoreName.MORNING, utc_now())
