"""Orders whose status at the warehouse we don't recognize: we can't tell whether they have shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.clients.fcp_statuses import StatusKind, kind_of_status
from portal.models import Merchant, Order, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class UnknownStatus:
    """One merchant's orders with one status that we don't recognize."""

    status: str
    merchant: Merchant
    orders: int


def merchants_with_unknown_statuses(session: Session) -> Mapping[Merchant, Sequence[UnknownStatus]]:
    """Return every merchant, with the statuses that we don't recognize, in one query."""
    statuses = (
        select(Order.merchant_id, Order.fcp_status, func.count().label("orders"))
        .where(Order.state == OrderState.SUBMITTED, Order.fcp_status != "", Order.fcp_missing_since.is_(None))
        .group_by(Order.merchant_id, Order.fcp_status)
        .subquery()
    )
    query = select(Merchant, statuses.c.fcp_status, statuses.c.orders).outerjoin(
        statuses, statuses.c.merchant_id == Merchant.id
    )
    found: dict[Merchant, list[UnknownStatus]] = {}
    for merchant, status, orders in session.execute(query):
        unknown = found.setdefault(merchant, [])
        if status and kind_of_status(status) is StatusKind.UNKNOWN:
            unknown.append(UnknownStatus(status, merchant, orders))
    return found


def by_status(found: Iterable[UnknownStatus]) -> Mapping[str, Sequence[UnknownStatus]]:
    """Group them by status, in any case; the status with the most orders first, and so for its merchants."""
    grouped: dict[str, list[UnknownStatus]] = {}
    for one in sorted(found, key=lambda one: (-one.orders, one.merchant.id)):
        grouped.setdefault(one.status.casefold(), []).append(one)
    groups = sorted(grouped.values(), key=lambda group: -sum(one.orders for one in group))
    return {group[0].status: group for group in groups}
