"""Orders that automatic work has given up, or that the warehouse can't find anymore."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, or_, select

from portal.incidents.finding import Finding
from portal.models import IncidentKind, Merchant, Order, OrderState, Store
from portal.wording import incidents as wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.incidents.detect.scene import Scene

_KIND_OF_STATE = {
    OrderState.READY: (IncidentKind.ORDERS_NOT_SENT, wording.orders_not_sent),
    OrderState.SHIPPED: (IncidentKind.BIG_CARTEL_NOT_TOLD, wording.big_cartel_not_told),
    OrderState.SUBMITTED: (IncidentKind.ORDERS_LOST, wording.orders_lost),
}


class _Stuck(NamedTuple):
    merchant_id: int
    state: OrderState
    number: str
    state_changed_at: datetime
    first_failed_at: datetime | None
    fcp_missing_since: datetime | None


def find(session: Session, _scene: Scene) -> Iterator[Finding]:
    """Yield what is stuck. A merchant who paused sending, or is in test mode, doesn't expect orders to be sent."""
    is_sending = and_(Merchant.paused.is_(False), Merchant.test_mode.is_(False))
    query = (
        select(
            Order.merchant_id,
            Order.state,
            Order.number,
            Order.state_changed_at,
            Order.first_failed_at,
            Order.fcp_missing_since,
        )
        .join(Store, Store.id == Order.store_id)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .where(
            Store.live,
            Order.next_attempt_at.is_(None),
            or_(
                and_(Order.state == OrderState.READY, is_sending),
                Order.state == OrderState.SHIPPED,
                and_(Order.state == OrderState.SUBMITTED, Order.fcp_missing_since.is_not(None)),
            ),
        )
        .order_by(Order.id)
    )
    groups: dict[tuple[int, OrderState], list[_Stuck]] = defaultdict(list)
    for order in map(_Stuck._make, session.execute(query)):
        groups[order.merchant_id, order.state].append(order)
    for (merchant_id, state), orders in groups.items():
        kind, words = _KIND_OF_STATE[state]
        title, explanation = words(len(orders))
        yield Finding(
            kind=kind,
            merchant_id=merchant_id,
            cause="",
            title=title,
            explanation=explanation,
            since=min(one.fcp_missing_since or one.first_failed_at or one.state_changed_at for one in orders),
            orders=len(orders),
            order_numbers=[order.number for order in orders],
        )
