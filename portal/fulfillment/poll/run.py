"""One poll of a store: its orders are read, assessed and stored, and after a full sweep they are reconciled."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from portal.clients.errors import ServiceError, Throttled, Unauthorized
from portal.engine.leases import LEASE, Work, leased
from portal.fulfillment.clients import RECONNECT, BlockedError, bigcartel_for, fcp_for, token_refused
from portal.fulfillment.poll.context import Poll, PollResult
from portal.fulfillment.poll.intake import take_in_orders
from portal.fulfillment.poll.reconciliation import reconcile
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.models import Store
from portal.rules import backoff

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.models import Merchant

log = logging.getLogger(__name__)

POLLING = "polling this store"


def poll_store(session: Session, store_id: int, settings: Settings, context: RunContext = ON_SCHEDULE) -> PollResult:
    """Poll the store. A refused token stops the store; any other failure makes the next poll later.

    Raises LeaseTakenError while another worker polls this store.
    """
    result = PollResult()
    announce = context.announce_wait(POLLING)
    with leased(session, Work.READ.of(store_id), wait=context.lease_wait, waiting=announce):
        store = session.get_one(Store, store_id, populate_existing=True)
        used = store.sealed_token
        if not store.is_connected:
            _set_next_poll(session, store_id, None, Store.sealed_token == used)
            result.problem = RECONNECT
            return result
        started = context.clock()
        until_then = started + LEASE
        _set_next_poll(session, store_id, until_then, Store.sealed_token == used)
        listed: list[str] = []
        try:
            listed = take_in_orders(Poll(session, store, bigcartel_for(store, settings), context, result))
        except (ServiceError, BlockedError) as error:
            session.rollback()
            result.problem, next_poll_at = _poll_failed(session, store, used, error, context.clock())
        else:
            next_poll_at = started + timedelta(seconds=settings.poll_seconds)
        # Unless somebody has asked for another poll meanwhile, or the store is not to be polled any more.
        _set_next_poll(session, store_id, next_poll_at, Store.next_poll_at == until_then)
        if result.swept and not result.problem:
            reconcile(session, store, listed, _fcp_if_open(store.merchant, settings, context), swept_at=started)
    return result


def _set_next_poll(session: Session, store_id: int, at: datetime | None, condition: ColumnElement[bool]) -> None:
    """Set when the store is polled next, if the condition holds: a page may change the store at the same time."""
    statement = update(Store).where(Store.id == store_id, condition).values(next_poll_at=at)
    session.execute(statement, execution_options={"synchronize_session": False})
    session.commit()


def _poll_failed(
    session: Session, store: Store, used: str, error: ServiceError | BlockedError, now: datetime
) -> tuple[str, datetime | None]:
    """Return what went wrong, as a sentence, and when to poll again. Commits."""
    if isinstance(error, Unauthorized):
        token_refused(session, store, used, now)
        session.commit()
        return RECONNECT, None
    store.poll_failures += 1
    store.poll_error = str(error)
    if isinstance(error, Throttled):
        next_poll_at = backoff.throttled(store.poll_failures, error.retry_after, now)
    else:
        next_poll_at = backoff.later(store.poll_failures, now)
    session.commit()
    log.warning("poll.failed", extra={"store": store.id, "error": str(error), "next": str(next_poll_at)})
    return str(error), next_poll_at


def _fcp_if_open(merchant: Merchant, settings: Settings, context: RunContext) -> Fcp | None:
    try:
        return fcp_for(merchant, settings, now=context.clock())
    except BlockedError:
        return None
