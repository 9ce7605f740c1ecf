"""Look for what is wrong, and queue the messages about it."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.chores import ChoreName, claim, finish
from portal.incidents.run import look


def incidents() -> None:
    if claim(session(), ChoreName.INCIDENTS, utc_now()):
        look(session(), settings(), utc_now)
        finish(session(), ChoreName.INCIDENTS, utc_now())
