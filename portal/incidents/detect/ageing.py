"""Orders that have been at the warehouse for many business days and haven't been shipped."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from portal.clients.fcp_statuses import is_back_order
from portal.incidents.finding import Finding
from portal.models import IncidentKind, Merchant, Order, OrderState, Store
from portal.rules import business_days
from portal.rules.time_zones import zone_named
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene

BACK_ORDER = "back_order"
"""The cause of those that wait for stock. The merchant can do something about them: send stock."""


class _Ageing(NamedTuple):
    merchant_id: int
    days: int
    time_zone: str
    number: str
    status: str
    submitted_at: datetime

    def is_late(self, now: datetime) -> bool:
        return business_days.later(self.submitted_at, self.days, zone_named(self.time_zone)) < now


def find(session: Session, scene: Scene) -> Iterator[Finding]:
    fewest = session.scalar(select(func.min(Merchant.alert_ageing_days)))
    if fewest is None:
        return
    groups: dict[tuple[int, str], list[_Ageing]] = defaultdict(list)
    for order in _sent_before(session, scene.now - timedelta(days=fewest)):
        if order.is_late(scene.now):
            groups[order.merchant_id, BACK_ORDER if is_back_order(order.status) else ""].append(order)
    for (merchant_id, cause), orders in groups.items():
        numbers = [order.number for order in orders]
        days, count = orders[0].days, len(orders)
        statuses = list(dict.fromkeys(order.status for order in orders if order.status))
        title, explanation = (
            wording.on_back_order(count, days, numbers) if cause else wording.orders_ageing(count, days, statuses)
        )
        yield Finding(
            kind=IncidentKind.ORDERS_AGEING,
            merchant_id=merchant_id,
            cause=cause,
            title=title,
            explanation=explanation,
            since=min(order.submitted_at for order in orders),
            orders=count,
            order_numbers=numbers,
        )


def _sent_before(session: Session, before: datetime) -> list[_Ageing]:
    """Return the orders at the warehouse that were sent before then, except those that it can't find anymore."""
    query = (
        select(
            Order.merchant_id,
            Merchant.alert_ageing_days,
            Store.time_zone,
            Order.number,
            Order.fcp_status,
            Order.submitted_at,
        )
        .join(Store, Store.id == Order.store_id)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .where(
            Order.state == OrderState.SUBMITTED,
            Order.submitted_at < before,
            Order.fcp_missing_since.is_(None),
            Store.live,
        )
        .order_by(Order.id)
    )
    return [_Ageing._make(row) for row in session.execute(query)]
