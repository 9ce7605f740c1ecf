"""Re-read orders and products from Big Cartel before a retry, so that it sends their current data."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.clients.bigcartel import as_stored, read_order
from portal.clients.errors import NotSent, ServiceError, Unauthorized
from portal.engine.leases import LeaseError, LeaseKind, leased
from portal.fulfillment import product_facts, products, search_rows
from portal.fulfillment.clients import BlockedError, bigcartel_for, token_rejected
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.models import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.bigcartel import BigCartel, BigCartelOrder, Document
    from portal.models import Order

log = logging.getLogger(__name__)

RETRY_WAIT = 5.0
"""Seconds that a retry waits for a poll in progress."""
MAX_TIME = timedelta(seconds=20)
"""How long a retry of many orders may spend reading them; the rest must be retried again."""


def reread_orders(
    session: Session, orders: Sequence[Order], settings: Settings, context: RunContext = ON_SCHEDULE
) -> Set[int]:
    """Re-read the orders that must be read before a retry (Order.is_read_before_retry), and their products.

    Returns the ids of the orders that could be read. A person is waiting, so a store that doesn't answer within seconds
    is skipped. Commits.
    """
    context = replace(context, lease_wait=RETRY_WAIT)
    by_store: dict[int, dict[str, Order]] = defaultdict(dict)
    for order in orders:
        if order.is_read_before_retry and order.purged_at is None:
            by_store[order.store_id][order.number] = order
    session.commit()
    fresh: set[int] = set()
    for store_id, wanted in by_store.items():
        store = session.get_one(Store, store_id, populate_existing=True)
        session.commit()
        if not store.is_connected:
            continue
        sealed_token = store.sealed_token
        try:
            bigcartel = bigcartel_for(store, settings, interactive=True)
            with leased(session, LeaseKind.READ.of(store_id), wait=context.lease_wait):
                fresh |= _reread(session, store, bigcartel, wanted, context)
        except (ServiceError, BlockedError, LeaseError) as error:
            session.rollback()
            if isinstance(error, Unauthorized):
                token_rejected(session, store, sealed_token, context.clock())
            session.commit()
            log.warning("orders.not_reread", extra={"store": store_id, "error": str(error)})
    return fresh


def _reread(
    session: Session, store: Store, bigcartel: BigCartel, orders: Mapping[str, Order], context: RunContext
) -> set[int]:
    """Re-read one store's orders, given by number. Raises Unauthorized or NotSent if further calls are pointless.

    The rows are not accessed during the calls, so no transaction stays open. Commits.
    """
    started = context.clock()
    read: dict[str, Document] = {}
    for number in orders:
        if context.clock() - started > MAX_TIME:
            break
        try:
            read[number] = bigcartel.order(number)
        except (Unauthorized, NotSent):
            raise
        except ServiceError as error:
            log.warning("order.not_reread", extra={"store": store.id, "order": number, "error": str(error)})
    placed: dict[int, BigCartelOrder] = {}
    for number, document in read.items():
        orders[number].document = as_stored(document)
        placed[orders[number].id] = read_order(document)
    session.flush()
    search_rows.refresh(session, sorted(placed))
    session.commit()
    wanted = {product_id for order in placed.values() for product_id in products.ids_in(order)}
    products.bring_up_to_date(session, store, bigcartel, wanted, fresh_since=started, clock=context.clock)
    known = product_facts.facts(session, store.id, wanted)
    fresh = products.fetched_since(session, store.id, wanted, started)
    return {order_id for order_id, order in placed.items() if products.ids_without_override(order, known) <= fresh}
