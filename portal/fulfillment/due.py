"""The work that is due now, as the database has it.

The tick wakes the workers for it, and a scheduled job asks again before it works: it may have waited in the queue while
another one did the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import String, and_, cast, exists, literal, or_, select

from portal.engine.leases import LeaseKind
from portal.fulfillment import hosts
from portal.fulfillment.chores import ChoreName
from portal.fulfillment.clients import may_call_fcp_sql
from portal.fulfillment.probe import stopped_merchants_due
from portal.fulfillment.products import REFRESH_EVERY
from portal.models import Chore, HostName, Lease, Merchant, Order, OrderState, Store
from portal.models.states import ClosedBecause
from portal.rules.patience import CANCELED_FOR_GOOD_AFTER, CHECK_CANCELED_EVERY, SENT_AS_READ

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

MAX_PER_TICK = 1000
"""Stores or merchants per kind of work and tick; the rest is still due at the next tick."""


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
    return Due(
        polls=_ids(session, _polls(now).order_by(Store.next_poll_at)),
        products=_ids(session, _products(now)),
        submits=_ids(session, _submits(now).where(~_is_submitting(now))),
        settles=_ids(session, _settles(now).where(~_is_submitting(now))),
        tracks=sorted(
            {
                *_ids(session, _checks(track_seconds, now).where(~_is_submitting(now))),
                *_ids(session, _marks(now)),
            }
        ),
        dry_runs=_ids(session, _dry_runs()),
        credentials=_ids(session, select(Merchant.id).where(stopped_merchants_due(now))),
        probes=hosts.due_for_probe(session, now),
    )


def is_refresh_due(session: Session, store_id: int, now: datetime) -> bool:
    """Return whether the store's product list is still to be read."""
    return _exists(session, _products(now).where(Store.id == store_id))


def is_dry_run_due(session: Session, store_id: int) -> bool:
    """Return whether the store's dry run is still to be done."""
    return _exists(session, _dry_runs().where(Store.id == store_id))


def is_submit_due(session: Session, merchant_id: int, now: datetime) -> bool:
    """Return whether the merchant has orders to send or to settle: a submit run does both."""
    to_send = _exists(session, _submits(now).where(Merchant.id == merchant_id))
    return to_send or is_settle_due(session, merchant_id, now)


def is_settle_due(session: Session, merchant_id: int, now: datetime) -> bool:
    """Return whether the merchant has unconfirmed orders to settle."""
    return _exists(session, _settles(now).where(Merchant.id == merchant_id))


def is_track_due(session: Session, merchant_id: int, *, track_seconds: int, now: datetime) -> bool:
    """Return whether the merchant has orders to ask the FCP about, or to mark in Big Cartel."""
    to_check = _exists(session, _checks(track_seconds, now).where(Merchant.id == merchant_id))
    return to_check or _exists(session, _marks(now).where(Order.merchant_id == merchant_id))


def poll_is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition on stores to be polled: those that nobody is reading now."""
    name = literal(f"{LeaseKind.READ}:").concat(cast(Store.id, String))
    is_read = exists().where(Lease.name == name, Lease.until > now)
    return and_(Store.next_poll_at <= now, ~is_read, hosts.is_answering_sql(HostName.BIG_CARTEL))


def is_canceled_not_for_good(now: datetime) -> ColumnElement[bool]:
    """Return the condition on orders that the warehouse canceled recently: it may take them up again."""
    return and_(
        Order.state == OrderState.CLOSED,
        Order.closed_because == ClosedBecause.CANCELED,
        Order.state_changed_at > now - CANCELED_FOR_GOOD_AFTER,
    )


def _ids(session: Session, query: Select[int]) -> Sequence[int]:
    return session.scalars(query.limit(MAX_PER_TICK)).all()


def _exists(session: Session, query: Select[int]) -> bool:
    """Return whether the query finds anything, and end the transaction: a job makes its calls without one."""
    found = session.scalars(query.limit(1)).first() is not None
    session.commit()
    return found


def _polls(now: datetime) -> Select[int]:
    return select(Store.id).where(poll_is_due(now))


def _products(now: datetime) -> Select[int]:
    return select(Store.id).where(
        Store.is_connected,
        hosts.is_answering_sql(HostName.BIG_CARTEL),
        or_(Store.products_refreshed_at.is_(None), Store.products_refreshed_at <= now - REFRESH_EVERY),
    )


def _has_orders(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Order.merchant_id == Merchant.id, *conditions)


def _merchants(now: datetime, *conditions: ColumnElement[bool]) -> Select[int]:
    """Select the merchants that meet the conditions and may call the FCP."""
    return select(Merchant.id).where(may_call_fcp_sql(now), *conditions)


def _is_submitting(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a submit run is working on the merchant's orders."""
    name = literal(f"{LeaseKind.SUBMIT}:").concat(cast(Merchant.id, String))
    return exists().where(Lease.name == name, Lease.until > now)


def _submits(now: datetime) -> Select[int]:
    connected = Order.store_id.in_(select(Store.id).where(Store.is_connected))
    # Those that have waited are sent only after a look at their products in Big Cartel.
    needs_no_look = Order.first_seen_at > now - SENT_AS_READ
    can_be_read = and_(hosts.is_answering_sql(HostName.BIG_CARTEL), connected)
    is_due = (Order.state == OrderState.READY, Order.next_attempt_at <= now)
    return _merchants(now, _has_orders(*is_due, or_(needs_no_look, can_be_read)))


def _settles(now: datetime) -> Select[int]:
    worker_is_alive = exists().where(Lease.owner == Order.claim, Lease.until > now)
    return _merchants(
        now,
        _has_orders(
            or_(
                and_(Order.state == OrderState.UNCONFIRMED, Order.next_attempt_at <= now),
                and_(Order.state == OrderState.SUBMITTING, ~worker_is_alive),
            )
        ),
    )


def _checks(track_seconds: int, now: datetime) -> Select[int]:
    def were_asked(ago: timedelta) -> ColumnElement[bool]:
        return or_(Merchant.last_tracked_at.is_(None), Merchant.last_tracked_at <= now - ago)

    return _merchants(
        now,
        or_(
            and_(were_asked(timedelta(seconds=track_seconds)), _has_orders(Order.state == OrderState.SUBMITTED)),
            and_(were_asked(CHECK_CANCELED_EVERY), _has_orders(is_canceled_not_for_good(now))),
        ),
    )


def _marks(now: datetime) -> Select[int]:
    """Select the merchants with orders to mark as shipped in Big Cartel."""
    return (
        select(Order.merchant_id)
        .distinct()
        .join(Store, Store.id == Order.store_id)
        .where(
            Order.state == OrderState.SHIPPED,
            Order.next_attempt_at <= now,
            Store.is_connected,
            hosts.is_answering_sql(HostName.BIG_CARTEL),
        )
    )


def _dry_runs() -> Select[int]:
    return select(Store.id).where(Store.dry_run_asked_at.is_not(None))


def due_chores(session: Session, now: datetime) -> list[ChoreName]:
    """Return the chores that are due; one without a row has never run."""
    later = set(session.scalars(select(Chore.name).where(Chore.due_at > now)))
    return [name for name in ChoreName if name not in later]
