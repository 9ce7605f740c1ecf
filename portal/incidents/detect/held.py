"""Orders that have been on hold for long, for a reason that the merchant has to fix."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, literal_column, select

from portal.fulfillment.rulebook import stored_hold
from portal.incidents.finding import Finding
from portal.models import IncidentKind, Merchant, Order, Store
from portal.reports.order_conditions import NOT_TO_FIX, held_for
from portal.rules.hold_reasons import HeldBy, Hold
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene
    from portal.models import StoredHold


class _Held(NamedTuple):
    merchant_id: int
    hours: int
    number: str
    since: datetime
    holds: list[StoredHold]


def find(session: Session, scene: Scene) -> Iterator[Finding]:
    """Yield one finding for each reason and what it is about, such as one product.

    An order that also waits for its buyer, or for the merchant's choice, is left out. An order on hold for two reasons
    counts under both, because both have to be fixed.
    """
    shortest = session.scalar(select(func.min(Merchant.alert_hold_hours)))
    if shortest is None:
        return
    groups: dict[tuple[int, str], list[_Held]] = defaultdict(list)
    holds: dict[str, Hold] = {}
    for order in _held(session, scene.now - timedelta(hours=shortest)):
        if order.since > scene.now - timedelta(hours=order.hours):
            continue
        for hold in map(stored_hold, order.holds):
            if hold.reason.row.held_by is HeldBy.MERCHANT:
                key = f"{hold.reason.value}:{hold.headline.casefold()}"
                holds.setdefault(key, hold)
                groups[order.merchant_id, key].append(order)
    for (merchant_id, key), orders in groups.items():
        title, explanation = wording.orders_on_hold(len(orders), orders[0].hours, holds[key])
        yield Finding(
            kind=IncidentKind.ORDERS_ON_HOLD,
            merchant_id=merchant_id,
            cause=key,
            title=title,
            explanation=explanation,
            since=min(order.since for order in orders),
            orders=len(orders),
            order_numbers=[order.number for order in orders],
        )


def _held(session: Session, before: datetime) -> list[_Held]:
    query = (
        select(Order.merchant_id, Merchant.alert_hold_hours, Order.number, Order.state_changed_at, Order.holds)
        .join(Store, Store.id == Order.store_id)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .where(
            # The condition of the index on orders on hold, word for word.
            Order.state == literal_column("'held'"),
            Order.state_changed_at <= before,
            Store.live,
            *(~held_for(reason) for reason in NOT_TO_FIX),
        )
        .order_by(Order.id)
    )
    return [_Held._make(row) for row in session.execute(query)]
