"""One tracking run for a merchant: ask the FCP about open orders, then mark the shipped ones in Big Cartel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.engine.leases import LeaseKind, leased
from portal.fulfillment.changes import acknowledge_past
from portal.fulfillment.clients import BlockedError, fcp_for
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.track.context import Tracking, TrackResult
from portal.fulfillment.track.mark_shipped import mark_shipped
from portal.fulfillment.track.statuses import read_statuses
from portal.fulfillment.warehouse import Warehouse
from portal.logs.work import working_on
from portal.models import Merchant, Store

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
        tracking = Tracking(session, merchant, lease, context)
        problems = tracking.result.problems
        try:
            fcp = fcp_for(session, merchant, settings, now=context.clock(), ignore_pause=context.by_person)
            read_statuses(tracking, Warehouse(session, merchant, fcp, settings, context.clock))
        except BlockedError as error:
            problems.append(str(error))
        stores = session.scalars(
            select(Store).where(Store.merchant_id == merchant_id).execution_options(populate_existing=True)
        ).all()
        for store in stores:
            try:
                with working_on(store=store.id):
                    stopped = mark_shipped(tracking, store, settings)
            except BlockedError as error:
                stopped = str(error)
            if stopped:
                problems.append(stopped)
        acknowledge_past(session, merchant_id, context.clock())
        session.commit()
    return tracking.result
