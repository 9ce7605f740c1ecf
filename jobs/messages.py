"""Send the mails and webhooks that are due."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import session
from portal.fulfillment.chores import ChoreName, claim, finish


def messages() -> None:
    if claim(session(), ChoreName.MESSAGES, utc_now()):
        finish(session(), ChoreName.MESSAGES, utc_now())
