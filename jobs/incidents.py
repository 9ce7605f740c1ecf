"""Look for what is wrong, and queue the messages about it."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import session
from portal.fulfillment.chores import ChoreName, claim, finish


def incidents() -> None:
    if claim(session(), ChoreName.INCIDENTS, utc_now()):
        finish(session(), ChoreName.INCIDENTS, utc_now())
