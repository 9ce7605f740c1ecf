"""A service that fails for everyone, and what stops one merchant at the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.incidents.finding import Finding
from portal.models import HostName, IncidentKind, Order, OrderState, Store
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene
    from portal.models import Merchant

OF_A_MERCHANT = "merchant"
"""The cause of an incident about a service that fails for one merchant only."""
_ON_THEIR_WAY = (OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED)


def find(session: Session, scene: Scene) -> Iterator[Finding]:
    yield from _hosts(session, scene)
    yield from _accounts(session, scene)


def _hosts(session: Session, scene: Scene) -> Iterator[Finding]:
    if not scene.failing or not scene.live_merchants:
        return
    waiting = sum(count for merchant, count in waiting_orders(session).items() if merchant in scene.live_merchants)
    for name, host in scene.failing.items():
        title, explanation = wording.host_failing(name, host.error)
        yield Finding(
            kind=IncidentKind.HOST_FAILING,
            merchant_id=None,
            cause=name.value,
            title=title,
            explanation=explanation,
            since=host.failing_since or scene.now,
            subject=name.value,
            orders=waiting,
        )


def _accounts(session: Session, scene: Scene) -> Iterator[Finding]:
    if not scene.stopped:
        return
    waiting = waiting_orders(session)
    for merchant in scene.stopped:
        orders = waiting.get(merchant.id, 0)
        if merchant.credentials_refused_at is not None:
            title, explanation = wording.credentials_rejected(merchant.credentials_refused_words)
            kind, since = IncidentKind.CREDENTIALS_REJECTED, merchant.credentials_refused_at
            yield Finding(kind, merchant.id, "", title, explanation, since, orders=orders)
        elif merchant.id in scene.live_merchants:
            yield from _of_a_live_merchant(merchant, orders, scene)


def _of_a_live_merchant(merchant: Merchant, orders: int, scene: Scene) -> Iterator[Finding]:
    # Only a submission can end the failure, so without an order that waits nothing shows that it goes on.
    if merchant.fcp_failing_since is not None and orders and HostName.WAREHOUSE not in scene.failing:
        title, explanation = wording.merchant_failing(merchant.fcp_error)
        yield Finding(
            kind=IncidentKind.HOST_FAILING,
            merchant_id=merchant.id,
            cause=OF_A_MERCHANT,
            title=title,
            explanation=explanation,
            since=merchant.fcp_failing_since,
            subject=HostName.WAREHOUSE.value,
            orders=orders,
        )
    if merchant.tracking_error:
        title, explanation = wording.shipments_unknown(merchant.tracking_error)
        since = merchant.last_tracked_at or scene.now
        yield Finding(IncidentKind.SHIPMENTS_UNKNOWN, merchant.id, "", title, explanation, since)


def waiting_orders(session: Session) -> Mapping[int, int]:
    """Return how many orders of live stores are to be sent, by merchant, except those that were given up."""
    is_waiting = (Order.state != OrderState.READY) | Order.next_attempt_at.is_not(None)
    query = (
        select(Order.merchant_id, func.count())
        .join(Store, Store.id == Order.store_id)
        .where(Order.state.in_(_ON_THEIR_WAY), is_waiting, Store.live)
        .group_by(Order.merchant_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
