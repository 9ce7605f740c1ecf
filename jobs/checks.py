"""Find out with TEST orders which services the warehouse offers, and whether it knows a merchant's name."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.chores import ChoreName, claim, finish, interrupt
from portal.fulfillment.warehouse_checks import check_due, find_due


def checks() -> None:
    if not claim(session(), ChoreName.CHECKS, utc_now()):
        return
    find_due(session(), utc_now())
    if check_due(session(), settings(), utc_now):
        finish(session(), ChoreName.CHECKS, utc_now())
    else:
        interrupt(session(), ChoreName.CHECKS, utc_now())
