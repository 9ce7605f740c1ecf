"""Orders that have waited are sent with the SKUs that their store shows now: read their products first."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from portal.clients.errors import ServiceError, Throttled, Unauthorized
from portal.engine.leases import LeaseError, LeaseKind, leased
from portal.fulfillment import hosts, product_facts, products
from portal.fulfillment.big_cartel import is_big_cartel_failing
from portal.fulfillment.clients import BlockedError, bigcartel_for, token_rejected
from portal.models import HostName, Order, OrderState, Store
from portal.models.states import OrderChange, rewrite
from portal.rules import backoff
from portal.rules.patience import SENT_AS_READ
from portal.wording.stops import PRODUCTS_NOT_READ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.bigcartel import BigCartelOrder
    from portal.fulfillment.run_context import RunContext
    from portal.fulfillment.submit.stored_order import StoredOrder

log = logging.getLogger(__name__)

LEASE_WAIT = 5.0
"""Seconds to wait for a sync of the store, which may be about to end."""
TRY_AGAIN_AFTER = timedelta(seconds=30)
"""How long orders wait for the next try if only their store, or only a product of theirs, could not be read."""


def due_orders(merchant_id: int, now: datetime, *, ignore_backoff: bool) -> list[ColumnElement[bool]]:
    """Return the conditions on the merchant's orders to send now."""
    due = [Order.merchant_id == merchant_id, Order.state == OrderState.READY]
    return due if ignore_backoff else [*due, Order.next_attempt_at <= now]


class WaitedOrders:
    """The orders of one run that have waited longer than SENT_AS_READ, and what was read for them."""

    def __init__(self, session: Session, merchant_id: int, context: RunContext, settings: Settings) -> None:
        self._session = session
        self._merchant_id = merchant_id
        self._context = context
        self._settings = settings
        self.is_incomplete = False
        """Whether a drain met orders whose products nobody has tried to read: they began to count as waiting later."""
        self.problem = ""
        """Why some orders could not be sent, as a sentence."""
        self._unreadable: set[int] = set()
        """The stores that could not be read."""
        self._since = context.clock()
        """When the last reading began: a product fetched before that isn't fresh."""
        self._fresh: dict[int, set[str]] = defaultdict(set)
        self._tried: dict[int, set[str]] = defaultdict(set)
        self._missed: dict[int, set[str]] = defaultdict(set)

    def read_products(self) -> None:
        """Read the products of the due orders that have waited, each product once. A failed call never raises.

        Makes no call if no order has waited, and none while Big Cartel fails for everyone, unless a person started the
        run. Commits, so no transaction is open during the calls.
        """
        session, context = self._session, self._context
        now = context.clock()
        due = due_orders(self._merchant_id, now, ignore_backoff=context.by_person)
        waited = select(Order.store_id, Order.lines).where(*due, Order.first_seen_at <= now - SENT_AS_READ)
        wanted = self._missed
        for store_id, lines in session.execute(waited):
            wanted[store_id].update(line["product_id"] for line in lines if line["product_id"])
        self.is_incomplete, self._missed = False, defaultdict(set)
        self.read(wanted)

    def read(self, wanted: Mapping[int, Set[str]]) -> None:
        """Read these products, given by store. A failed call never raises. Commits."""
        self.problem = ""
        self._since = self._context.clock()
        self._fresh.clear()
        self._tried = defaultdict(set, {store_id: set(ids) for store_id, ids in wanted.items()})
        self._session.commit()
        self._unreadable = {store_id for store_id, ids in wanted.items() if not self._read_store(store_id, ids)}
        if self._unreadable:
            self.problem = PRODUCTS_NOT_READ

    def may_be_sent(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that an order need not wait for its store."""
        return or_(Order.first_seen_at > now - SENT_AS_READ, Order.store_id.not_in(self._unreadable))

    def without_stale(
        self, orders: Sequence[tuple[StoredOrder, BigCartelOrder]], now: datetime
    ) -> list[tuple[StoredOrder, BigCartelOrder]]:
        """Return the orders that can be sent now: those that have not waited, or whose products are fresh.

        The others stay ready. If their products could not be read, they are due again in half a minute. The caller
        commits.
        """
        stale = self.stale(orders, now)
        if not stale:
            return list(orders)
        unread = []
        for order_id, (store_id, missed) in stale.items():
            if missed <= self._tried[store_id]:
                unread.append(OrderChange(order_id, {"next_attempt_at": now + TRY_AGAIN_AFTER}))
            else:
                self._missed[store_id] |= missed
                self.is_incomplete = True
        if unread:
            self.problem = PRODUCTS_NOT_READ
        rewrite(self._session, unread, state=OrderState.READY)
        return [(row, order) for row, order in orders if row.id not in stale]

    def needed(self, orders: Sequence[tuple[StoredOrder, BigCartelOrder]], now: datetime) -> dict[int, set[str]]:
        """Return the products, by store, of those of the orders that have waited."""
        found: dict[int, set[str]] = defaultdict(set)
        for row, order in orders:
            if row.first_seen_at <= now - SENT_AS_READ:
                found[row.store_id] |= products.ids_in(order)
        return found

    def stale(
        self, orders: Sequence[tuple[StoredOrder, BigCartelOrder]], now: datetime
    ) -> dict[int, tuple[int, set[str]]]:
        """Return the orders that can't be sent yet, by id: each with its store and the products to be read first."""
        session = self._session
        unknown = {store_id: ids - self._fresh[store_id] for store_id, ids in self.needed(orders, now).items()}
        for store_id, ids in unknown.items():
            self._fresh[store_id] |= products.fetched_since(session, store_id, ids, self._since)
        stale = {}
        for row, order in orders:
            if row.first_seen_at > now - SENT_AS_READ:
                continue
            missed = products.ids_in(order) - self._fresh[row.store_id]
            if missed:
                missed &= products.ids_without_override(order, product_facts.facts(session, row.store_id, missed))
            if missed:
                stale[row.id] = (row.store_id, missed)
        return stale

    def _read_store(self, store_id: int, ids: Set[str]) -> bool:
        """Read these products of one store. Return whether the store could be read. Commits."""
        if not ids:
            return True
        session, context = self._session, self._context
        store = session.get_one(Store, store_id, populate_existing=True)
        host = hosts.failing(session, HostName.BIG_CARTEL)
        sealed_token = store.sealed_token
        session.commit()
        if not store.is_connected or (host is not None and not context.by_person):
            return False
        try:
            # One that gives up within seconds: other orders wait for this.
            bigcartel = bigcartel_for(store, self._settings, interactive=True)
            with leased(session, LeaseKind.READ.of(store_id), wait=LEASE_WAIT):
                products.bring_up_to_date(session, store, bigcartel, ids, fresh_since=self._since, clock=context.clock)
                is_answering = bool(products.fetched_since(session, store_id, ids, self._since))
                session.commit()
                if not is_answering:
                    # A single product that can't be read says nothing about its store; none at all may be its fault.
                    bigcartel.account()
                if host is not None:
                    hosts.mark_answering(session, HostName.BIG_CARTEL, context.clock())
        except (ServiceError, BlockedError, LeaseError) as error:
            session.rollback()
            log.warning("submit.products_not_read", extra={"store": store_id, "error": str(error)})
            self._not_read(store, sealed_token, error)
            return False
        return True

    def _not_read(self, store: Store, sealed_token: str, error: ServiceError | BlockedError | LeaseError) -> None:
        """Stop the store, or try again later, according to why it could not be read. Commits.

        While the store is disconnected or Big Cartel fails for everyone, these orders aren't due anyway.
        """
        session, context = self._session, self._context
        if isinstance(error, Unauthorized):
            token_rejected(session, store, sealed_token, context.clock())
        elif isinstance(error, LeaseError) or not is_big_cartel_failing(
            session, store, self._settings, error, context.clock
        ):
            self._postpone(store, error, context.clock())
        session.commit()

    def _postpone(self, store: Store, error: Exception, now: datetime) -> None:
        until = now + TRY_AGAIN_AFTER
        if isinstance(error, Throttled):
            until = min(backoff.throttled(1, error.retry_after, now), now + hosts.LONGEST_PAUSE)
        due = due_orders(self._merchant_id, now, ignore_backoff=False)
        waited = (*due, Order.store_id == store.id, Order.first_seen_at <= now - SENT_AS_READ)
        self._session.execute(
            update(Order).where(*waited).values(next_attempt_at=until),
            execution_options={"synchronize_session": False},
        )
