"""Send the mails and webhooks that are due."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.chores import ChoreName, claim, finish
from portal.messages.outbox import send_due


def messages() -> None:
    if claim(session(), ChoreName.MESSAGES, utc_now()):
        send_due(session(), settings(), utc_now)
        finish(session(), ChoreName.MESSAGES, utc_now())
