"""The stores of a poll job in which nothing happened: read at once, and recorded together.

Between sweeps, most polls find nothing. Here such a poll costs one call and no statement of its own: those of a job
share one for what we know of the stores, one for the orders on their first pages, and one for the result.
"""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from portal.fulfillment import hosts
from portal.fulfillment.clients import CALLS_AT_ONCE, BlockedError, bigcartel_for
from portal.fulfillment.poll.assess import seen_by_all
from portal.fulfillment.poll.claims import set_unlocked
from portal.fulfillment.poll.products_to_fix import COMMITTED_WITHIN, IS_HELD
from portal.fulfillment.poll.read import is_idle, known_orders, listed, updated_pages
from portal.fulfillment.poll.recount import SWEEP_EVERY
from portal.logs.work import working_on
from portal.models import HostName, Order, ProductToFix, Store
from portal.rules.backoff import interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.bigcartel import BigCartel, OrderPage
    from portal.fulfillment.poll.claims import Claim
    from portal.fulfillment.poll.read import KnownOrder


class _Candidate(NamedTuple):
    """A store that is idle if its first page says so."""

    store_id: int
    merchant_id: int
    sealed_token: str
    bigcartel: BigCartel
    cursor: datetime | None
    """None if the store has no orders yet."""
    window_count: int | None


def record_idle(
    session: Session,
    settings: Settings,
    claim: Claim,
    clock: Callable[[], datetime],
    calls_at_once: Callable[[], int] = lambda: CALLS_AT_ONCE,
) -> Set[int]:
    """Record the poll of each claimed store in which nothing happened, and return those stores. Commits.

    All others are left as they are, for a poll of their own: those with anything to do besides reading the list, those
    whose first page isn't exactly as the last poll left it, and those that couldn't be read. A job of one store is left
    as well: most often a webhook started it, so there is something to read.

    An idle store needs no lease. It is written only as long as the claim stands and the token is the same. Any other
    poll, a request for one, and a disconnection change ``next_poll_at``, so they win over what was read here.
    """
    if len(claim.store_ids) < 2:
        return frozenset()
    started = clock()
    candidates = _candidates(session, settings, claim, started)
    pages = _first_pages(candidates, calls_at_once()) if candidates else []
    idle = _idle(session, candidates, pages, started)
    now = clock()
    # A webhook leaves a store alone that is due already, as it is once the claim has ended.
    if not idle or now >= claim.until:
        return frozenset()
    return set_unlocked(
        session,
        Store.next_poll_at == claim.until,
        tuple_(Store.id, Store.sealed_token).in_([(one.store_id, one.sealed_token) for one in idle]),
        next_poll_at=started + interval(settings.poll_seconds),
        last_polled_at=now,
        held_read_at=started,
    )


def _candidates(session: Session, settings: Settings, claim: Claim, now: datetime) -> list[_Candidate]:
    """Return the stores for which a poll would do nothing but read the updated orders. Commits.

    Also those that never had an order: without a cursor, a poll reads the unshipped ones.
    """
    sibling = aliased(Store)
    products_changed_at = select(func.max(sibling.products_changed_at)).where(sibling.merchant_id == Store.merchant_id)
    last_held_at = select(func.max(Order.assessed_at)).where(Order.store_id == Store.id, IS_HELD)
    rows = session.execute(
        select(Store, products_changed_at.scalar_subquery(), last_held_at.scalar_subquery())
        .where(
            Store.id.in_(claim.store_ids),
            Store.last_swept_at > now - SWEEP_EVERY,
            Store.poll_failures == 0,
            Store.poll_error == "",
            or_(Store.cursor.is_not(None), ~exists().where(Order.store_id == Store.id)),
            ~exists().where(ProductToFix.store_id == Store.id),
            hosts.is_answering_sql(HostName.BIG_CARTEL),
        )
        .order_by(Store.id)
        .execution_options(populate_existing=True)
    ).all()
    session.commit()
    return [
        candidate
        for store, products_changed, last_held in rows
        if _is_assessed(store, products_changed)
        and _is_counted(store, last_held)
        and (candidate := _candidate(store, settings)) is not None
    ]


def _is_assessed(store: Store, products_changed_at: datetime | None) -> bool:
    """Return whether the orders on hold are assessed by the current rules and products."""
    changed_at = seen_by_all(store.merchant.rules_changed_at, products_changed_at)
    return store.held_assessed_at is not None and store.held_assessed_at > changed_at


def _is_counted(store: Store, last_held_at: datetime | None) -> bool:
    """Return whether the orders on hold, the last one assessed then, are counted in the products to fix."""
    if store.held_read_at is None:
        return False
    return last_held_at is None or last_held_at <= store.held_read_at - COMMITTED_WITHIN


def _candidate(store: Store, settings: Settings) -> _Candidate | None:
    try:
        # The claims of all the job's stores run meanwhile, so a slow answer is left to a poll of its own.
        bigcartel = bigcartel_for(store, settings, interactive=True, tries=1)
    except BlockedError:
        return None
    return _Candidate(store.id, store.merchant_id, store.sealed_token, bigcartel, store.cursor, store.window_count)


def _first_pages(candidates: Sequence[_Candidate], calls_at_once: int) -> list[OrderPage | None]:
    """Return the first page of updated orders of each, None if it couldn't be read. Makes no more calls after that.

    Whatever the error, the store's own poll meets it again and deals with it, without keeping the other stores waiting.
    """
    failed = threading.Event()

    def read(one: _Candidate) -> OrderPage | None:
        if failed.is_set():
            return None
        with working_on(store=one.store_id, merchant=one.merchant_id):
            try:
                return next(_pages(one))
            except Exception:  # noqa: BLE001 - the store's own poll meets it again, and raises it
                failed.set()
                return None

    with ThreadPoolExecutor(calls_at_once, thread_name_prefix="idle poll") as pool:
        calls = [pool.submit(contextvars.copy_context().run, read, one) for one in candidates]
        return [call.result() for call in calls]


def _pages(one: _Candidate) -> Iterator[OrderPage]:
    if one.cursor is None:
        return one.bigcartel.order_pages(unshipped_only=True, updated_from=None, sort="created_at")
    return updated_pages(one.bigcartel, one.cursor)


def _idle(
    session: Session, candidates: Sequence[_Candidate], pages: Sequence[OrderPage | None], now: datetime
) -> list[_Candidate]:
    """Return those whose page shows that nothing happened. Commits."""
    read = [(one, page) for one, page in zip(candidates, pages, strict=True) if page is not None]
    known = known_orders(session, [(one.store_id, number) for one, page in read for number, _ in page.orders])
    return [one for one, page in read if _is_idle(one, page, known, now)]


def _is_idle(one: _Candidate, page: OrderPage, known: Mapping[tuple[int, str], KnownOrder], now: datetime) -> bool:
    if not (page.orders or page.nameless):
        return page.count == 0
    try:
        orders = [listed(document, known.get((one.store_id, number))) for number, document in page.orders]
        return one.cursor is not None and is_idle(page, orders, one.cursor, one.window_count, now)
    except Exception:  # noqa: BLE001 - the store's own poll meets it again, and raises it
        return False
