"""The work that is due now, as the database has it.

The tick wakes the workers for it, and a scheduled job asks again before it works: it may have waited in the queue while
another one did the work.

A tick finds everything that is due, and reads about as many rows as that: each query begins with an index that holds
only such rows. It looks up their merchant or store by id, in a subquery that returns one value, because from a join
PostgreSQL may make one that reads the whole table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import String, and_, cast, exists, literal, literal_column, or_, select, text

from portal.engine.leases import LeaseKind
from portal.fulfillment import hosts
from portal.fulfillment.chores import ChoreName
from portal.fulfillment.clients import may_call_fcp_sql
from portal.fulfillment.probe import stopped_merchants_due
from portal.fulfillment.products import REFRESH_EVERY
from portal.models import Chore, HostName, Lease, Merchant, Order, OrderState, Store
from portal.models.states import ClosedBecause
from portal.rules.asking import intervals
from portal.rules.patience import CANCELED_FOR_GOOD_AFTER, CHECK_CANCELED_EVERY, SENT_AS_READ

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import InstrumentedAttribute, Session


@dataclass(frozen=True, slots=True)
class Due:
    """Ids of what is due: stores to poll, refresh or dry-run, and merchants to submit, settle, track or check.

    ``probes`` are the failing services to probe.
    """

    polls: Sequence[int]
    products: Sequence[int]
    submits: Sequence[int]
    settles: Sequence[int]
    tracks: Sequence[int]
    dry_runs: Sequence[int]
    credentials: Sequence[int]
    probes: Sequence[HostName]


def due(session: Session, *, track_seconds: int, now: datetime) -> Due:
    """Return what is due. The transaction that it leaves open is meant for nothing else."""
    if session.get_bind().dialect.name == "postgresql":
        # Its statistics of times are older than the times, so to PostgreSQL every store seems to be due.
        session.execute(text("SET LOCAL enable_seqscan = off"))
    free = _is_not_submitting(now)
    return Due(
        polls=session.scalars(_polls(now).order_by(Store.next_poll_at)).all(),
        products=_ids(session, *_products(now)),
        submits=_ids(session, _submits(now, free)),
        settles=_ids(session, *_settles(now, free)),
        tracks=_ids(session, *_checks(track_seconds, now, free), _marks(now)),
        dry_runs=_ids(session, _dry_runs()),
        credentials=_ids(session, select(Merchant.id).where(stopped_merchants_due(now))),
        probes=hosts.due_for_probe(session, now),
    )


def is_refresh_due(session: Session, store_id: int, now: datetime) -> bool:
    """Return whether the store's product list is still to be read."""
    return _exists(session, *_products(now, of=store_id))


def is_dry_run_due(session: Session, store_id: int) -> bool:
    """Return whether the store's dry run is still to be done."""
    return _exists(session, _dry_runs().where(Store.id == store_id))


def is_submit_due(session: Session, merchant_id: int, now: datetime) -> bool:
    """Return whether the merchant has orders to send or to settle: a submit run does both."""
    return _exists(session, _submits(now, of=merchant_id), *_settles(now, of=merchant_id))


def is_settle_due(session: Session, merchant_id: int, now: datetime) -> bool:
    """Return whether the merchant has unconfirmed orders to settle."""
    return _exists(session, *_settles(now, of=merchant_id))


def is_track_due(session: Session, merchant_id: int, *, track_seconds: int, now: datetime) -> bool:
    """Return whether the merchant has orders to ask the FCP about, or to mark in Big Cartel."""
    return _exists(session, *_checks(track_seconds, now, of=merchant_id), _marks(now, of=merchant_id))


def poll_is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition on stores to be polled: those that nobody is reading now."""
    name = literal(f"{LeaseKind.READ}:").concat(cast(Store.id, String))
    return and_(
        Store.next_poll_at <= now, name.not_in(_held(Lease.name, now)), hosts.is_answering_sql(HostName.BIG_CARTEL)
    )


def is_canceled_not_for_good(now: datetime) -> ColumnElement[bool]:
    """Return the condition on orders that the warehouse canceled recently: it may take them up again."""
    return and_(
        Order.state == OrderState.CLOSED,
        # As in the index, word for word.
        Order.closed_because == literal_column(f"'{ClosedBecause.CANCELED}'"),
        Order.state_changed_at > now - CANCELED_FOR_GOOD_AFTER,
    )


def _ids(session: Session, *queries: Select[int]) -> Sequence[int]:
    """Return what the queries find, each id once."""
    return sorted({found for query in queries for found in session.scalars(query)})


def _exists(session: Session, *queries: Select[int]) -> bool:
    """Return whether a query finds anything, and end the transaction: a job makes its calls without one."""
    found = any(session.scalars(query.limit(1)).first() is not None for query in queries)
    session.commit()
    return found


def _polls(now: datetime) -> Select[int]:
    return select(Store.id).where(poll_is_due(now))


def _products(now: datetime, of: int | None = None) -> tuple[Select[int], ...]:
    """Select the stores whose product list was never read, and those where it was long ago."""
    stores = select(Store.id).where(Store.is_connected, hosts.is_answering_sql(HostName.BIG_CARTEL))
    if of is not None:
        stores = stores.where(Store.id == of)
    is_old = Store.products_refreshed_at <= now - REFRESH_EVERY
    return stores.where(Store.products_refreshed_at.is_(None)), stores.where(is_old)


def _submits(now: datetime, *conditions: ColumnElement[bool], of: int | None = None) -> Select[int]:
    # Those that have waited are sent only after a look at their products in Big Cartel.
    needs_no_look = Order.first_seen_at > now - SENT_AS_READ
    can_be_read = and_(hosts.is_answering_sql(HostName.BIG_CARTEL), _is_store_connected())
    orders = _merchants_of(
        of, Order.state == OrderState.READY, Order.next_attempt_at <= now, or_(needs_no_look, can_be_read)
    )
    return _those(orders, may_call_fcp_sql(now), *conditions)


def _settles(now: datetime, *conditions: ColumnElement[bool], of: int | None = None) -> tuple[Select[int], ...]:
    """Select the merchants with unconfirmed orders, and those whose worker died while it sent orders."""
    is_unconfirmed = and_(Order.state == OrderState.UNCONFIRMED, Order.next_attempt_at <= now)
    is_abandoned = and_(Order.state == OrderState.SUBMITTING, Order.claim.not_in(_held(Lease.owner, now)))
    return tuple(
        _those(_merchants_of(of, which), may_call_fcp_sql(now), *conditions) for which in (is_unconfirmed, is_abandoned)
    )


def _checks(
    track_seconds: int, now: datetime, *conditions: ColumnElement[bool], of: int | None = None
) -> tuple[Select[int], ...]:
    """Select the merchants with orders to ask the FCP about: those at the warehouse, and those canceled there.

    How often a merchant is asked about depends on its youngest order there, which an index has for each merchant.
    """

    def were_asked(ago: timedelta) -> ColumnElement[bool]:
        return or_(Merchant.last_tracked_at.is_(None), Merchant.last_tracked_at <= now - ago)

    # As in the index, word for word.
    is_there = Order.state == literal_column(f"'{OrderState.SUBMITTED}'")

    def has_younger(age: timedelta) -> ColumnElement[bool]:
        return exists().where(Order.merchant_id == Merchant.id, is_there, Order.state_changed_at >= now - age)

    def those(were_asked: ColumnElement[bool], orders: ColumnElement[bool]) -> Select[int]:
        return _those(_merchants_of(of, orders), may_call_fcp_sql(now), were_asked, *conditions)

    often = timedelta(seconds=track_seconds)
    *younger, (_, seldom) = intervals(often)
    has_failed = and_(Merchant.tracking_error != "", were_asked(often))
    have_young = (and_(were_asked(every), has_younger(age)) for age, every in younger)
    return (
        those(or_(were_asked(seldom), has_failed, *have_young), is_there),
        those(were_asked(CHECK_CANCELED_EVERY), is_canceled_not_for_good(now)),
    )


def _marks(now: datetime, *, of: int | None = None) -> Select[int]:
    """Select the merchants with orders to mark as shipped in Big Cartel."""
    return _merchants_of(
        of,
        Order.state == OrderState.SHIPPED,
        Order.next_attempt_at <= now,
        hosts.is_answering_sql(HostName.BIG_CARTEL),
        _is_store_connected(),
    )


def _dry_runs() -> Select[int]:
    return select(Store.id).where(Store.dry_run_asked_at.is_not(None))


def _merchants_of(of: int | None, *conditions: ColumnElement[bool]) -> Select[int]:
    """Select the merchants of the orders that meet the conditions, or only this one if it has such orders."""
    query = select(Order.merchant_id).where(*conditions).distinct()
    return query if of is None else query.where(Order.merchant_id == of)


def _those(merchant_ids: Select[int], *conditions: ColumnElement[bool]) -> Select[int]:
    """Select those of the merchants that meet the conditions."""
    some = merchant_ids.subquery()
    return select(some.c.merchant_id).where(
        select(and_(*conditions)).where(Merchant.id == some.c.merchant_id).scalar_subquery()
    )


def _is_store_connected() -> ColumnElement[bool]:
    """Return the condition that the order's store is connected."""
    return select(Store.is_connected).where(Store.id == Order.store_id).scalar_subquery()


def _is_not_submitting(now: datetime) -> ColumnElement[bool]:
    """Return the condition that no submit run is working on the merchant's orders."""
    name = literal(f"{LeaseKind.SUBMIT}:").concat(cast(Merchant.id, String))
    return name.not_in(_held(Lease.name, now))


def _held(column: InstrumentedAttribute[str], now: datetime) -> Select[str]:
    """Select a column of the leases that somebody holds. Released ones stay, several for each store and merchant."""
    return select(column).where(Lease.owner != literal_column("''"), Lease.until > now)


def due_chores(session: Session, now: datetime) -> list[ChoreName]:
    """Return the chores that are due; one without a row has never run."""
    later = set(session.scalars(select(Chore.name).where(Chore.due_at > now)))
    return [name for name in ChoreName if name not in later]
