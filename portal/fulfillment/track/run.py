"""One round of tracking for a merchant: the FCP is asked for open orders, Big Cartel is told of the shipped ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clock import utc_now
from portal.crypto import SealError
from portal.engine.leases import Work, leased
from portal.fulfillment.clients import RECONNECT, shop_for, warehouse_for
from portal.fulfillment.run_context import RunContext, kept_from_fcp, waiting
from portal.fulfillment.track import mark_shipped
from portal.models import Merchant, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.engine.leases import HeldLease


@dataclass(slots=True)
class TrackRound:
    shipped: int = 0
    cancelled: int = 0
    missing: int = 0
    completed: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)


def track_merchant(
    session: Session,
    merchant_id: int,
    settings: Settings,
    *,
    asked: RunContext | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> TrackRound:
    """Ask the FCP for open orders, then set the shipped ones to shipped in each store. Raises LeaseTakenError."""
    asked = asked or RunContext()
    round_ = TrackRound()
    word = waiting(asked, "tracking this merchant's orders")
    with leased(session, Work.TRACKING.of(merchant_id), wait=asked.wait, waiting=word) as lease:
        merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
        problem = kept_from_fcp(merchant, asked, clock())
        if not problem:
            try:
                fcp = warehouse_for(merchant, settings)
            except SealError as error:
                problem = str(error)
            else:
                tracked = mark_shipped.track(session, merchant, fcp, clock=clock, trigger=asked.trigger)
                round_.shipped, round_.cancelled = tracked.shipped, tracked.cancelled
                round_.missing, problem = tracked.missing, tracked.stopped
        if problem:
            round_.problems.append(problem)
        stores = session.scalars(
            select(Store).where(Store.merchant_id == merchant_id).execution_options(populate_existing=True)
        ).all()
        for store in stores:
            _mark(session, store, settings, lease, asked, clock, round_)
    return round_


def _mark(
    session: Session,
    store: Store,
    settings: Settings,
    lease: HeldLease,
    asked: RunContext,
    clock: Callable[[], datetime],
    round_: TrackRound,
) -> None:
    if store.reconnect_needed_at is not None or not store.sealed_token:
        round_.problems.append(RECONNECT)
        return
    try:
        shop = shop_for(store, settings)
    except SealError as error:
        round_.problems.append(str(error))
        return
    marked = mark_shipped.mark_shipped(
        session,
        store,
        shop,
        lease=lease,
        clock=clock,
        trigger=asked.trigger,
        ignore_back_off=asked.by_person,
    )
    round_.completed += marked.completed
    round_.failed += marked.failed
    if marked.stopped:
        round_.problems.append(marked.stopped)
