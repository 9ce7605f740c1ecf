"""The work that is due now, as the database has it; the tick wakes the workers for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import String, and_, cast, exists, literal, or_, select

from portal.engine.leases import LeaseKind
from portal.fulfillment.clients import may_call_fcp_sql
from portal.fulfillment.products import REFRESH_EVERY
from portal.models import Lease, Merchant, Order, OrderState, Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

MAX_PER_TICK = 1000
"""Stores or merchants per kind of work and tick; the rest is still due at the next tick."""


@dataclass(frozen=True, slots=True)
class Due:
    """Ids of what is due: stores to poll, refresh or dry-run, and merchants to submit, settle or track."""

    polls: Sequence[int]
    products: Sequence[int]
    submits: Sequence[int]
    settles: Sequence[int]
    tracks: Sequence[int]
    dry_runs: Sequence[int]


def due(session: Session, *, track_seconds: int, now: datetime) -> Due:
    return Due(
        polls=_polls(session, now),
        products=_products(session, now),
        submits=_merchants(session, now, Order.state == OrderState.READY, Order.next_attempt_at <= now),
        settles=_settles(session, now),
        tracks=_tracks(session, timedelta(seconds=track_seconds), now),
        dry_runs=_dry_runs(session),
    )


def _polls(session: Session, now: datetime) -> Sequence[int]:
    return session.scalars(
        select(Store.id).where(Store.next_poll_at <= now).order_by(Store.next_poll_at).limit(MAX_PER_TICK)
    ).all()


def _products(session: Session, now: datetime) -> Sequence[int]:
    return session.scalars(
        select(Store.id)
        .where(
            Store.is_connected,
            or_(Store.products_refreshed_at.is_(None), Store.products_refreshed_at <= now - REFRESH_EVERY),
        )
        .limit(MAX_PER_TICK)
    ).all()


def _merchants(session: Session, now: datetime, *conditions: ColumnElement[bool]) -> Sequence[int]:
    """Return merchants that have such orders, may call the FCP, and aren't being worked on by a submit run."""
    name = literal(f"{LeaseKind.SUBMIT}:").concat(cast(Merchant.id, String))
    is_submitting = exists().where(Lease.name == name, Lease.until > now)
    return session.scalars(
        select(Merchant.id)
        .where(
            may_call_fcp_sql(now),
            exists().where(Order.merchant_id == Merchant.id, *conditions),
            ~is_submitting,
        )
        .limit(MAX_PER_TICK)
    ).all()


def _settles(session: Session, now: datetime) -> Sequence[int]:
    worker_is_alive = exists().where(Lease.owner == Order.claim, Lease.until > now)
    return _merchants(
        session,
        now,
        or_(
            and_(Order.state == OrderState.UNCONFIRMED, Order.next_attempt_at <= now),
            and_(Order.state == OrderState.SUBMITTING, ~worker_is_alive),
        ),
    )


def _tracks(session: Session, every: timedelta, now: datetime) -> Sequence[int]:
    to_check = _merchants(
        session,
        now,
        Order.state == OrderState.SUBMITTED,
        or_(Merchant.last_tracked_at.is_(None), Merchant.last_tracked_at <= now - every),
    )
    to_mark = session.scalars(
        select(Order.merchant_id)
        .distinct()
        .join(Store, Store.id == Order.store_id)
        .where(
            Order.state == OrderState.SHIPPED,
            Order.next_attempt_at <= now,
            Store.is_connected,
        )
        .limit(MAX_PER_TICK)
    ).all()
    return sorted({*to_check, *to_mark})


def _dry_runs(session: Session) -> Sequence[int]:
    return session.scalars(select(Store.id).where(Store.dry_run_asked_at.is_not(None)).limit(MAX_PER_TICK)).all()
