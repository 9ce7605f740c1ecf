"""One round of reading for a store: its orders, its whole product list, or the products of one order."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal.clients.bigcartel import read_order
from portal.clients.errors import ServiceError, Throttled, Unauthorized
from portal.crypto import SealError
from portal.fulfillment import backoff, intake, ledger, products
from portal.fulfillment.connection import RECONNECT, read_name, shop_for, token_refused, warehouse_for
from portal.fulfillment.leases import LEASE, LeaseTakenError, Work, leased
from portal.fulfillment.rounds.asked import Asked, utc_now, waiting
from portal.models import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.fulfillment.leases import Held
    from portal.models import Merchant, Order

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PollRound:
    polled: intake.Polled = field(default_factory=intake.Polled)
    problem: str = ""


def poll_store(
    session: Session,
    store_id: int,
    settings: Settings,
    *,
    asked: Asked | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> PollRound:
    """Read the store's orders. A refused token stops the store; any other failure makes the next poll later.

    Raises LeaseTakenError while another worker polls this store.
    """
    asked = asked or Asked()
    round_ = PollRound()
    with _reading(session, store_id, asked):
        store = session.get_one(Store, store_id, populate_existing=True)
        if store.reconnect_needed_at is not None or not store.sealed_token:
            round_.problem = RECONNECT
            return round_
        started = clock()
        store.next_poll_at = started + LEASE
        session.commit()
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
            round_.problem = _poll_failed(store, error, clock())
            session.commit()
        else:
            store.next_poll_at = started + timedelta(seconds=settings.poll_seconds)
            session.commit()
            if round_.polled.swept:
                listed = round_.polled.unshipped_and_paid
                ledger.balance(session, store, listed, _fcp_to_ask(store.merchant, settings, clock()), swept_at=started)
    return round_


def _poll_failed(store: Store, error: ServiceError | SealError, now: datetime) -> str:
    if isinstance(error, Unauthorized):
        token_refused(store, now)
        return RECONNECT
    store.poll_failures += 1
    store.poll_error = str(error)
    store.next_poll_at = backoff.later(store.poll_failures, now)
    if isinstance(error, Throttled) and error.retry_after is not None:
        store.next_poll_at = now + timedelta(seconds=error.retry_after)
    log.warning("poll.failed", extra={"store": store.id, "error": str(error), "next": str(store.next_poll_at)})
    return str(error)


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
    asked: Asked | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> str:
    """Read the store's whole product list, and its name while it has none.

    Returns the problem as a sentence, "" for none. Raises LeaseTakenError.
    """
    asked = asked or Asked()
    with _reading(session, store_id, asked):
        store = session.get_one(Store, store_id, populate_existing=True)
        if store.reconnect_needed_at is not None or not store.sealed_token:
            return RECONNECT
        session.commit()
        try:
            products.refresh_all(session, store, shop_for(store, settings), clock=clock, progress=asked.progress)
        except (ServiceError, SealError) as error:
            session.rollback()
            store.products_refreshed_at = clock() - products.REFRESH_EVERY + products.RETRY_AFTER
            if isinstance(error, Unauthorized):
                token_refused(store, clock())
            session.commit()
            log.warning("products.not_refreshed", extra={"store": store_id, "error": str(error)})
            return str(error)
        if not store.name:
            read_name(session, store, settings)
    return ""


def read_products_again(
    session: Session,
    order: Order,
    settings: Settings,
    *,
    asked: Asked | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Before a person's retry: read the order's products, which the merchant may just have mended.

    A shop that does not answer, or is being polled at this moment, is no obstacle: the retry goes by what is known.
    """
    store = session.get_one(Store, order.store_id, populate_existing=True)
    if store.reconnect_needed_at is not None or not store.sealed_token or order.purged_at is not None:
        return
    ids = products.ids_in(read_order(json.loads(order.document)))
    try:
        with _reading(session, store.id, asked or Asked()):
            shop = shop_for(store, settings)
            products.bring_up_to_date(session, store, shop, ids, fresh_since=clock(), clock=clock)
    except (ServiceError, SealError, LeaseTakenError) as error:
        session.rollback()
        log.warning("products.not_read_again", extra={"store": order.store_id, "error": str(error)})


def _reading(session: Session, store_id: int, asked: Asked) -> AbstractContextManager[Held]:
    """One reader per store: orders and products of two at once would be entered twice."""
    return leased(session, Work.READING.of(store_id), wait=asked.wait, waiting=waiting(asked, "polling this store"))
