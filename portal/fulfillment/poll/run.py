"""One round of reading for a store: its orders, its whole product list, or the products of one order."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from portal.clients.errors import ServiceError, Throttled, Unauthorized
from portal.clock import utc_now
from portal.crypto import SealError
from portal.engine.leases import LEASE, LeaseTakenError, Work, leased
from portal.fulfillment import products
from portal.fulfillment.clients import RECONNECT, read_name, shop_for, token_refused, warehouse_for
from portal.fulfillment.poll import intake, lookup, reconciliation
from portal.fulfillment.run_context import RunContext, waiting
from portal.models import Store
from portal.rules import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.engine.leases import HeldLease
    from portal.models import Merchant, Order

log = logging.getLogger(__name__)

RETRY_WAIT = 5.0
"""Seconds that a person who retries waits for a poll that is under way."""


@dataclass(slots=True)
class PollRound:
    polled: intake.Polled = field(default_factory=intake.Polled)
    problem: str = ""


def poll_store(
    session: Session,
    store_id: int,
    settings: Settings,
    *,
    asked: RunContext | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> PollRound:
    """Read the store's orders. A refused token stops the store; any other failure makes the next poll later.

    Raises LeaseTakenError while another worker polls this store.
    """
    asked = asked or RunContext()
    round_ = PollRound()
    with _reading(session, store_id, asked):
        store = session.get_one(Store, store_id, populate_existing=True)
        used = store.sealed_token
        if store.reconnect_needed_at is not None or not used:
            _set_next_poll(session, store_id, None, Store.sealed_token == used)
            round_.problem = RECONNECT
            return round_
        started = clock()
        until_then = started + LEASE
        _set_next_poll(session, store_id, until_then, Store.sealed_token == used)
        try:
            round_.polled = intake.poll(
                session,
                store,
                shop_for(store, settings),
                clock=clock,
                fresh_since=started if asked.by_person else None,
                progress=asked.progress,
            )
        except (ServiceError, SealError) as error:
            session.rollback()
            round_.problem, next_poll_at = _poll_failed(session, store, used, error, clock())
        else:
            next_poll_at = started + timedelta(seconds=settings.poll_seconds)
        # Unless somebody has asked for another poll meanwhile, or the store is not to be polled any more.
        _set_next_poll(session, store_id, next_poll_at, Store.next_poll_at == until_then)
        if round_.polled.swept:
            listed = round_.polled.unshipped_and_paid
            reconciliation.balance(
                session, store, listed, _fcp_to_ask(store.merchant, settings, clock()), swept_at=started
            )
    return round_


def _set_next_poll(session: Session, store_id: int, at: datetime | None, condition: ColumnElement[bool]) -> None:
    """When the store is to be polled next, if the condition holds: a page may change the store at the same time."""
    statement = update(Store).where(Store.id == store_id, condition).values(next_poll_at=at)
    session.execute(statement, execution_options={"synchronize_session": False})
    session.commit()


def _poll_failed(
    session: Session, store: Store, used: str, error: ServiceError | SealError, now: datetime
) -> tuple[str, datetime | None]:
    """What went wrong, as a sentence, and when to poll again. Commits."""
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


def _fcp_to_ask(merchant: Merchant, settings: Settings, now: datetime) -> Fcp | None:
    if merchant.credentials_refused_at is not None or (merchant.fcp_after is not None and merchant.fcp_after > now):
        return None
    try:
        return warehouse_for(merchant, settings)
    except SealError:
        return None


def refresh_products(
    session: Session,
    store_id: int,
    settings: Settings,
    *,
    asked: RunContext | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> str:
    """Read the store's whole product list, and its name while it has none.

    Returns the problem as a sentence, "" for none. Raises LeaseTakenError.
    """
    asked = asked or RunContext()
    with _reading(session, store_id, asked):
        store = session.get_one(Store, store_id, populate_existing=True)
        if store.reconnect_needed_at is not None or not store.sealed_token:
            return RECONNECT
        session.commit()
        used = store.sealed_token
        try:
            products.refresh_all(session, store, shop_for(store, settings), clock=clock, progress=asked.progress)
        except (ServiceError, SealError) as error:
            session.rollback()
            store.products_refreshed_at = clock() - products.REFRESH_EVERY + products.RETRY_AFTER
            if isinstance(error, Unauthorized):
                token_refused(session, store, used, clock())
            session.commit()
            log.warning("products.not_refreshed", extra={"store": store_id, "error": str(error)})
            return str(error)
        if not store.name:
            read_name(session, store, settings)
    return ""


def read_again(
    session: Session, orders: Sequence[Order], settings: Settings, *, clock: Callable[[], datetime] = utc_now
) -> Set[int]:
    """Before a person retries orders that were refused, closed or lost: read them and their products once more.

    Returns the ids of those that could be read. A person waits, so a store that does not answer within seconds is
    left. Commits.
    """
    by_store: dict[int, list[Order]] = defaultdict(list)
    for order in orders:
        if order.is_read_before_retry and order.purged_at is None:
            by_store[order.store_id].append(order)
    session.commit()
    fresh: set[int] = set()
    for store_id, wanted in by_store.items():
        store = session.get_one(Store, store_id, populate_existing=True)
        used = store.sealed_token
        if store.reconnect_needed_at is not None or not used:
            continue
        try:
            with _reading(session, store_id, RunContext(wait=RETRY_WAIT)):
                fresh |= lookup.read_again(session, store, shop_for(store, settings, hurried=True), wanted, clock=clock)
        except (ServiceError, SealError, LeaseTakenError) as error:
            session.rollback()
            if isinstance(error, Unauthorized):
                token_refused(session, store, used, clock())
                session.commit()
            log.warning("orders.not_read_again", extra={"store": store_id, "error": str(error)})
    return fresh


def _reading(session: Session, store_id: int, asked: RunContext) -> AbstractContextManager[HeldLease]:
    """One reader per store: orders and products of two at once would be entered twice."""
    return leased(session, Work.READING.of(store_id), wait=asked.wait, waiting=waiting(asked, "polling this store"))
