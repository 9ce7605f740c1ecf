"""Ask the FCP for the status of every order that it has but has not shipped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.clients.errors import NotFound, ServiceError
from portal.clients.fcp import MAX_STATUSES
from portal.fulfillment import attempts
from portal.fulfillment.order_columns import closed_columns, shipped_columns
from portal.models import Order, OrderState
from portal.models.states import OrderChange, OrderColumns, move, rewrite
from portal.wording import attempts as wording
from portal.wording.states import CANCELED_AT_THE_WAREHOUSE
from portal.wording.stops import NO_STATUS_CALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from portal.clients.fcp import OrderStatus
    from portal.fulfillment.track.context import Tracking
    from portal.fulfillment.warehouse import Warehouse

log = logging.getLogger(__name__)


class _AtWarehouse(NamedTuple):
    """What we know about an order at the warehouse."""

    id: int
    number: str
    fcp_order_id: str
    fcp_status: str
    fcp_missing_since: datetime | None


def read_statuses(tracking: Tracking, warehouse: Warehouse) -> None:
    """Ask for statuses and save what changed. A failed call never raises. Commits as it goes."""
    session, merchant, last_id = tracking.session, tracking.merchant, 0
    while orders := _at_warehouse(tracking, last_id):
        last_id = orders[-1].id
        started_at = tracking.context.clock()
        try:
            statuses = warehouse.fcp.statuses([order.number for order in orders])
        except ServiceError as error:
            _handle_error(tracking, warehouse, error)
            session.commit()
            return
        warehouse.answered()
        merchant.tracking_error = ""
        _save(tracking, orders, statuses, started_at)
        session.commit()
    merchant.last_tracked_at = tracking.context.clock()
    session.commit()


def _at_warehouse(tracking: Tracking, last_id: int) -> list[_AtWarehouse]:
    rows = tracking.session.execute(
        select(Order.id, Order.number, Order.fcp_order_id, Order.fcp_status, Order.fcp_missing_since)
        .where(Order.merchant_id == tracking.merchant.id, Order.state == OrderState.SUBMITTED, Order.id > last_id)
        .order_by(Order.id)
        .limit(MAX_STATUSES)
    )
    orders = [_AtWarehouse._make(row) for row in rows]
    tracking.session.commit()
    return orders


def _handle_error(tracking: Tracking, warehouse: Warehouse, error: ServiceError) -> None:
    """Handle a failed call: it may stop the merchant, or pause everyone. Commits."""
    merchant, now = tracking.merchant, tracking.context.clock()
    problem = warehouse.what_stops(error)
    if problem:
        tracking.result.problems.append(problem)
        return
    # This says nothing about sending, which continues.
    merchant.last_tracked_at = now
    merchant.tracking_error = problem = str(error)
    if isinstance(error, NotFound):
        merchant.tracking_error = problem = NO_STATUS_CALL
        log.warning("track.no_status_call", extra={"merchant": merchant.id, "error": str(error)})
    else:
        log.warning("track.unclear", extra={"merchant": merchant.id, "error": problem})
    tracking.result.problems.append(problem)


def _save(
    tracking: Tracking, orders: Sequence[_AtWarehouse], statuses: Mapping[str, OrderStatus], started_at: datetime
) -> None:
    session, result, now = tracking.session, tracking.result, tracking.context.clock()
    shipped, cancelled, findings = [], [], []
    for order in orders:
        status = statuses.get(order.number)
        if status is None:
            result.missing += 1
            if order.fcp_missing_since is None:
                rewrite(session, [OrderChange(order.id, {"fcp_missing_since": now})], state=OrderState.SUBMITTED)
                findings.append(_finding(order, status, wording.LOST))
            continue
        known: OrderColumns = {"fcp_order_id": status.order_id or order.fcp_order_id, "fcp_status": status.status}
        if status.is_shipped:
            shipped.append(OrderChange(order.id, {**known, **shipped_columns(status, now)}))
            findings.append(_finding(order, status, wording.SHIPPED))
        elif status.is_cancelled:
            cancelled.append(OrderChange(order.id, {**known, **closed_columns(CANCELED_AT_THE_WAREHOUSE)}))
            findings.append(_finding(order, status, wording.CANCELED))
        elif order.fcp_missing_since is not None or status.status != order.fcp_status:
            change = OrderChange(order.id, {**known, "fcp_missing_since": None})
            rewrite(session, [change], state=OrderState.SUBMITTED)
            findings.append(_finding(order, status, wording.status_there(status.status)))
    at = OrderState.SUBMITTED
    result.shipped += move(session, shipped, from_state=at, to_state=OrderState.SHIPPED, now=now)
    result.cancelled += move(session, cancelled, from_state=at, to_state=OrderState.CLOSED, now=now)
    attempts.log_findings(
        session,
        findings,
        merchant_id=tracking.merchant.id,
        trigger=tracking.context.trigger,
        started_at=started_at,
        finished_at=now,
    )


def _finding(order: _AtWarehouse, status: OrderStatus | None, sentence: str) -> attempts.Finding:
    return attempts.Finding(order.id, sentence, attempts.exchange_for(order.number, status))
