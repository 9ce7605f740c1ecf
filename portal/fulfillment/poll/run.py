"""One poll of a store: read, assess and store its orders, and reconcile them after a full sweep."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, bindparam, func, update

from portal.clients.errors import Rejected, ServiceError, Throttled, Unauthorized
from portal.engine.leases import LEASE, LeaseKind, leased
from portal.fulfillment import hosts, products
from portal.fulfillment.big_cartel import is_big_cartel_failing
from portal.fulfillment.clients import BlockedError, bigcartel_for, fcp_for, token_rejected, why_not_connected
from portal.fulfillment.poll.assess import reassess_held, save_changed
from portal.fulfillment.poll.changes import look_up_sent
from portal.fulfillment.poll.context import LongListError, Poll, PollResult
from portal.fulfillment.poll.late import look_for_late
from portal.fulfillment.poll.products_to_fix import refetch_products_to_fix
from portal.fulfillment.poll.read import OVERLAP, Listed, Listing, read_unshipped, read_updated
from portal.fulfillment.poll.reconciliation import reconcile
from portal.fulfillment.poll.recount import SWEEP_EVERY
from portal.fulfillment.poll.vanished import look_up_vanished
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.logs.work import found, working_on
from portal.models import HostName, Order, OrderState, Store
from portal.models.states import OURS_TO_SEND
from portal.rules import backoff
from portal.wording.stops import RECONNECT

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.clients.fcp import Fcp
    from portal.models import Merchant

log = logging.getLogger(__name__)

SHORTEST_RETRY = timedelta(seconds=30)
PRODUCT_IS_FRESH = timedelta(minutes=5)

_orders = cast("Table", Order.__table__)


def poll_store(session: Session, store_id: int, settings: Settings, context: RunContext = ON_SCHEDULE) -> PollResult:
    """Poll the store. A rejected token stops the store; any other failure delays the next poll.

    In a turn, a long list isn't read: the store stays due, for a poll that has no turn.

    Raises LeaseTakenError while another worker polls this store.
    """
    result = PollResult()
    announce = context.announce_wait("syncing this store")
    with (
        working_on(store=store_id),
        leased(session, LeaseKind.READ.of(store_id), wait=context.lease_wait, waiting=announce),
    ):
        store = session.get_one(Store, store_id, populate_existing=True)
        found(merchant=store.merchant_id)
        sealed_token = store.sealed_token
        if not store.is_connected:
            _set_next_poll(session, store_id, None, Store.sealed_token == sealed_token)
            result.problem = why_not_connected(store)
            return result
        started = context.clock()
        host = hosts.failing(session, HostName.BIG_CARTEL)
        if host is not None and not context.by_person:
            # Due again as soon as it answers; until then, the tick starts no polls.
            _set_next_poll(session, store_id, started, Store.sealed_token == sealed_token)
            result.problem = host.error
            return result
        # If this worker dies, the store is due again once its lease has expired.
        fallback = started + LEASE
        swept_before = _begin(session, store_id, sealed_token, fallback, started)
        unshipped_and_paid: list[str] = []
        next_poll_at: datetime | None
        try:
            unshipped_and_paid = import_orders(
                Poll(session, store, bigcartel_for(store, settings), settings, context, result)
            )
        except (ServiceError, BlockedError) as error:
            session.rollback()
            result.problem, next_poll_at = _poll_failed(session, store, settings, sealed_token, error, context)
        except LongListError:
            session.rollback()
            result.is_left, result.swept, next_poll_at = True, False, started
        else:
            next_poll_at = started + backoff.interval(settings.poll_seconds)
            if host is not None:
                hosts.mark_answering(session, HostName.BIG_CARTEL, context.clock())
        # Unless a person has requested another poll in the meantime, or polling has been stopped. Unless there is a
        # reconciliation, the poll's last writes are committed together with the release of its lease.
        # A webhook asks for another poll only: unless another sweep was asked for, this one counts.
        if result.swept and not result.problem and swept_before is not None:
            _set(session, store_id, Store.last_swept_at == swept_before, last_swept_at=started)
        _set_next_poll(session, store_id, next_poll_at, Store.next_poll_at == fallback)
        if result.swept and not result.problem:
            fcp = _fcp_if_open(session, store.merchant, settings, context)
            reconcile(session, store, unshipped_and_paid, fcp, swept_at=started, now=context.clock())
    return result


def _begin(
    session: Session, store_id: int, sealed_token: str, fallback: datetime, started: datetime
) -> datetime | None:
    """Set when to poll if this worker dies, and return the last sweep's time, which is never empty during a poll.

    So that one who asks for a sweep meanwhile, by emptying it, is noticed. None if the store's token changed. Commits.
    """
    statement = (
        update(Store)
        .where(Store.id == store_id, Store.sealed_token == sealed_token)
        .values(next_poll_at=fallback, last_swept_at=func.coalesce(Store.last_swept_at, started - SWEEP_EVERY))
        .returning(Store.last_swept_at)
    )
    swept_before = session.scalar(statement, execution_options={"synchronize_session": False})
    session.commit()
    return swept_before


def _set_next_poll(session: Session, store_id: int, at: datetime | None, condition: ColumnElement[bool]) -> None:
    """Set the time of the next poll if the condition holds: a person may change the store at the same time.

    The caller commits.
    """
    _set(session, store_id, condition, next_poll_at=at)


def _set(session: Session, store_id: int, condition: ColumnElement[bool], **times: datetime | None) -> None:
    statement = update(Store).where(Store.id == store_id, condition).values(**times)
    session.execute(statement, execution_options={"synchronize_session": False})


def _poll_failed(
    session: Session,
    store: Store,
    settings: Settings,
    sealed_token: str,
    error: ServiceError | BlockedError,
    context: RunContext,
) -> tuple[str, datetime | None]:
    """Return what went wrong, as a sentence, and when to poll again. Commits.

    A poll costs the same whether it fails or not, so a failure doesn't postpone the next one. If Big Cartel fails for
    everyone, the store is due as soon as it answers.
    """
    now = context.clock()
    if isinstance(error, Unauthorized):
        token_rejected(session, store, sealed_token, now)
        session.commit()
        return RECONNECT, None
    store.poll_failures += 1
    store.poll_error = str(error)
    next_poll_at = now + max(timedelta(seconds=settings.poll_seconds), SHORTEST_RETRY)
    if isinstance(error, Throttled):
        # Big Cartel limits the rate of each store on its own.
        next_poll_at = backoff.throttled(store.poll_failures, error.retry_after, now)
    session.commit()
    log.warning("poll.failed", extra={"store": store.id, "error": str(error), "next": str(next_poll_at)})
    if is_big_cartel_failing(session, store, settings, error, context.clock):
        next_poll_at = now
    return str(error), next_poll_at


def _fcp_if_open(session: Session, merchant: Merchant, settings: Settings, context: RunContext) -> Fcp | None:
    try:
        return fcp_for(session, merchant, settings, now=context.clock())
    except BlockedError:
        return None


def import_orders(poll: Poll) -> list[str]:
    """Read and store the store's orders. Return the numbers listed as unshipped and paid, after a full sweep only.

    Reads every unshipped order if a sweep is due (at first, then hourly), otherwise those updated since the cursor. All
    pages are read before any order is processed. If a person started the poll, every product that an order needs is
    read again. Raises ServiceError: what was committed before stays, and the cursor does not move. Commits, except for
    the new cursor.
    """
    started = poll.context.clock()
    listing = _read(poll, started)
    poll.result.read, poll.result.nameless = len(listing.orders), listing.nameless
    if listing.nameless:
        log.error("poll.orders_without_number", extra={"store": poll.store.id, "orders": listing.nameless})
    listed = list(listing.orders.values())
    vanished = look_up_vanished(poll, listing) if poll.result.swept else []
    changed = [one for one in listed if one.needs_work]
    # Assessing a vanished order again also moves it to the back of the lookup queue.
    changed += (one for one in vanished if one.needs_work or (one.known and one.known.state in OURS_TO_SEND))
    if poll.result.swept:
        # A poll between sweeps may have stored that they are absent already, but only a sweep notes it.
        changed += look_up_sent(poll, listing)
    _read_products(poll, changed, started)
    save_changed(poll, changed, look_for_late(poll, changed))
    reassess_held(poll)
    _save_position(poll, listing)
    return (
        [one.order.number for one in (*listed, *vanished) if _is_unshipped_and_paid(one)] if poll.result.swept else []
    )


def _read(poll: Poll, now: datetime) -> Listing:
    store = poll.store
    sweep_is_due = store.last_swept_at is None or now - store.last_swept_at >= SWEEP_EVERY
    if store.cursor is not None and not sweep_is_due:
        try:
            return read_updated(poll, store.cursor)
        except Rejected as error:
            log.warning("poll.updates_rejected", extra={"store": store.id, "error": str(error)})
    poll.result.swept = True
    return read_unshipped(poll)


def _is_unshipped_and_paid(one: Listed) -> bool:
    return not one.is_shipped and one.order.payment_status == "completed"


def _read_products(poll: Poll, changed: list[Listed], started: datetime) -> None:
    """Read the products of changed orders, and some products whose fix would release held orders."""
    wanted = {product_id for one in changed for product_id in products.ids_in(one.order)}
    products.bring_up_to_date(
        poll.session,
        poll.store,
        poll.bigcartel,
        wanted,
        fresh_since=started if poll.context.by_person else started - PRODUCT_IS_FRESH,
        clock=poll.context.clock,
    )
    refetch_products_to_fix(poll, wanted, started)


def _save_position(poll: Poll, listing: Listing) -> None:
    """Save the cursor for the next poll, and the update times of the orders that this one saw."""
    times = [
        {"order_id": one.known.id, "seen_updated_at": one.order.updated_at}
        for one in listing.orders.values()
        # A change to an order that is being sent is saved by the next poll.
        if one.known is not None
        and one.known.updated_at != one.order.updated_at
        and one.known.state is not OrderState.SUBMITTING
    ]
    if times:
        times.sort(key=itemgetter("order_id"))
        statement = update(_orders).where(_orders.c.id == bindparam("order_id"))
        poll.session.connection().execute(statement.values(updated_at=bindparam("seen_updated_at")), times)
    store, now = poll.store, poll.context.clock()
    latest = listing.latest_change(now) if listing.is_whole else None
    if latest is not None and (store.cursor is None or latest >= store.cursor):
        store.cursor = latest
        store.window_count = listing.count_since(latest - OVERLAP)
    store.last_polled_at = now
    store.poll_failures = 0
    store.poll_error = ""
