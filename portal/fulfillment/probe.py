"""Probe what fails, with one cheap call each: a service for everyone, and the credentials of a stopped merchant."""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, or_, update

from portal.clients.errors import NotFound, OutcomeUnknown, ServiceError
from portal.fulfillment import hosts
from portal.fulfillment.clients import BlockedError, any_fcp, cheap_call, fcp_client, resume
from portal.logs.work import working_on
from portal.models import HostName, Merchant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, CursorResult
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp

log = logging.getLogger(__name__)

NO_ORDER = "STATUS-CHECK"
CHECK_EVERY = timedelta(minutes=10)
"""How often the credentials of a stopped merchant are checked."""


def probe_hosts(session: Session, settings: Settings, clock: Callable[[], datetime]) -> bool:
    """Probe every failing service whose probe is due. Return whether one answers again. Commits."""
    due = hosts.due_for_probe(session, clock())
    session.commit()
    answering = [name for name in due if _probe(session, name, settings, clock)]
    return bool(answering)


def _probe(session: Session, name: HostName, settings: Settings, clock: Callable[[], datetime]) -> bool:
    if not hosts.claim_probe(session, name, clock()):
        return False
    call = _call(session, name, settings, clock())
    session.commit()
    failure = hosts.answers(name, call) if call is not None else None
    if failure is not None:
        hosts.mark_failing(session, name, failure, clock())
        session.commit()
        return False
    is_back = hosts.mark_answering(session, name, clock())
    session.commit()
    return is_back


def _call(session: Session, name: HostName, settings: Settings, now: datetime) -> Callable[[], object] | None:
    """Return the call to make. For the FCP it is one of two: if one is broken, the other still ends the pause."""
    fcp = any_fcp(session, settings, now=now) if name is HostName.WAREHOUSE else None
    if fcp is None:
        return cheap_call(session, name, settings, now=now)
    return random.choice((fcp.verify, partial(_ask_for_a_status, fcp)))  # noqa: S311 - not a secret


def _ask_for_a_status(fcp: Fcp) -> None:
    """Ask for the status of an order that doesn't exist. Raises OutcomeUnknown if there is no status call."""
    try:
        fcp.statuses([NO_ORDER])
    except NotFound as error:
        raise OutcomeUnknown(str(error), service=error.service) from error


def stopped_merchants_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition on merchants with rejected credentials that are due for a check."""
    return and_(
        Merchant.credentials_refused_at.is_not(None),
        or_(Merchant.credentials_checked_at.is_(None), Merchant.credentials_checked_at <= now - CHECK_EVERY),
        hosts.is_answering_sql(HostName.WAREHOUSE),
    )


def check_credentials(session: Session, merchant_id: int, settings: Settings, clock: Callable[[], datetime]) -> bool:
    """Check a stopped merchant's credentials if due. Return whether the FCP accepts them now. Commits."""
    now = clock()
    claim = update(Merchant).where(Merchant.id == merchant_id, stopped_merchants_due(now))
    claimed = session.execute(
        claim.values(credentials_checked_at=now), execution_options={"synchronize_session": False}
    )
    session.commit()
    if not cast("CursorResult[tuple[()]]", claimed).rowcount:
        return False
    merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
    sealed_token = merchant.sealed_token
    session.commit()
    try:
        with working_on(merchant=merchant_id):
            fcp_client(merchant, settings, tries=1).verify()
    except BlockedError:
        return False
    except ServiceError as error:
        log.info("merchant.still_stopped", extra={"merchant": merchant_id, "error": str(error)})
        return False
    is_resumed = resume(session, merchant, sealed_token)
    session.commit()
    return is_resumed
