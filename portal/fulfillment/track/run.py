"""One tracking run for a merchant: ask the FCP about open orders, then mark the shipped ones in Big Cartel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from portal.engine.leases import LeaseKind, leased
from portal.fulfillment.changes import acknowledge_past
from portal.fulfillment.clients import BlockedError
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.track.context import Tracking, TrackResult
from portal.fulfillment.track.mark_shipped import mark_shipped
from portal.fulfillment.track.statuses import read_statuses
from portal.fulfillment.warehouse import open_warehouse
from portal.logs.work import working_on
from portal.models import Merchant, Order, OrderState, Store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config import Settings


def track_merchant(
    session: Session, merchant_id: int, settings: Settings, context: RunContext = ON_SCHEDULE
) -> TrackResult:
    """Ask the FCP about open orders, then mark the shipped ones in each store. Raises LeaseTakenError."""
    announce = context.announce_wait("tracking this merchant's orders")
    with (
        working_on(merchant=merchant_id),
        leased(session, LeaseKind.TRACK.of(merchant_id), wait=context.lease_wait, waiting=announce) as lease,
    ):
        merchant = session.get_one(Merchant, merchant_id, populate_existing=True)
        tracking = Tracking(session, merchant, lease, context, timedelta(seconds=settings.track_seconds))
        problems = tracking.result.problems
        try:
            read_statuses(
                tracking,
                open_warehouse(session, merchant, settings, context.clock, ignore_pause=context.by_person),
            )
        except BlockedError as error:
            problems.append(str(error))
        has_shipped = exists().where(Order.store_id == Store.id, Order.state == OrderState.SHIPPED)
        stores = session.scalars(
            select(Store).where(Store.merchant_id == merchant_id, has_shipped),
            execution_options={"populate_existing": True},
        ).all()
        session.commit()
        for store in stores:
            try:
                with working_on(store=store.id):
                    stopped = mark_shipped(tracking, store, settings)
            except BlockedError as error:
                stopped = str(error)
            if stopped:
                problems.append(stopped)
        # Committed together with the release of the lease.
        acknowledge_past(session, merchant_id, context.clock())
    return tracking.result
