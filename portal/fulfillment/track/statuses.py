"""Ask the FCP for the status of the orders that it has but has not shipped, or has canceled recently.

A run asks about young orders, and about those older ones whose time has come again. After a failed call, and when a
person asks, it asks about all of them.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, select

from portal.clients.errors import NotFound, ServiceError
from portal.clients.fcp import MAX_STATUSES
from portal.clients.fcp_statuses import StatusKind
from portal.fulfillment import attempts, search_rows
from portal.fulfillment.due import is_canceled_not_for_good
from portal.fulfillment.order_columns import closed_columns, reopened_columns, shipped_columns
from portal.models import Order, OrderState
from portal.models.states import ClosedBecause, OrderChange, OrderColumns, lock, move, rewrite
from portal.rules.asking import is_to_be_asked
from portal.rules.patience import STATUS_LAG
from portal.wording import attempts as wording
from portal.wording.history import NOT_CANCELED, SHIPPED_AFTER_ALL
from portal.wording.states import CANCELED_AT_THE_WAREHOUSE
from portal.wording.stops import NO_STATUS_CALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from portal.clients.fcp import OrderStatus
    from portal.fulfillment.track.context import Tracking, TrackResult
    from portal.fulfillment.warehouse import Warehouse

log = logging.getLogger(__name__)

ORDERS_PER_READ = 500


class _AtWarehouse(NamedTuple):
    """What we know about an order at the warehouse, or about one that the warehouse canceled."""

    id: int
    number: str
    state: OrderState
    fcp_order_id: str
    fcp_status: str
    fcp_missing_since: datetime | None
    submitted_at: datetime | None
    state_changed_at: datetime


def read_statuses(tracking: Tracking, warehouse: Warehouse) -> None:
    """Ask for statuses and save what changed. A failed call never raises. Commits as it goes."""
    session, merchant, now = tracking.session, tracking.merchant, tracking.context.clock()
    for orders in _batches(tracking, now):
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
    # The start of the run, because an order's time may have come since then.
    merchant.last_tracked_at = now
    session.commit()


def _batches(tracking: Tracking, now: datetime) -> Iterator[list[_AtWarehouse]]:
    """Yield as many orders at a time as one call takes: those at the warehouse, then those canceled before this run."""
    last_asked = tracking.merchant.last_tracked_at
    all_of_them = tracking.context.by_person or tracking.merchant.tracking_error != ""
    batch: list[_AtWarehouse] = []
    for condition in (
        Order.state == OrderState.SUBMITTED,
        and_(is_canceled_not_for_good(now), Order.state_changed_at < now),
    ):
        last_id = 0
        are_more = True
        while are_more:
            rows = _read(tracking, condition, last_id)
            batch += [
                order
                for order in rows
                if all_of_them
                or order.state is OrderState.CLOSED
                or is_to_be_asked(order.state_changed_at, last_asked, now, tracking.often)
            ]
            while len(batch) >= MAX_STATUSES:
                yield batch[:MAX_STATUSES]
                batch = batch[MAX_STATUSES:]
            are_more = len(rows) == ORDERS_PER_READ
            if are_more:
                last_id = rows[-1].id
    if batch:
        yield batch


def _read(tracking: Tracking, condition: ColumnElement[bool], last_id: int) -> list[_AtWarehouse]:
    rows = tracking.session.execute(
        select(
            Order.id,
            Order.number,
            Order.state,
            Order.fcp_order_id,
            Order.fcp_status,
            Order.fcp_missing_since,
            Order.submitted_at,
            Order.state_changed_at,
        )
        .where(Order.merchant_id == tracking.merchant.id, condition, Order.id > last_id)
        .order_by(Order.id)
        .limit(ORDERS_PER_READ)
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


class _News(NamedTuple):
    """What an answer means for an order: its state, the columns to set, and a sentence for its activity."""

    to_state: OrderState
    columns: OrderColumns
    sentence: str


def _save(
    tracking: Tracking, orders: Sequence[_AtWarehouse], statuses: Mapping[str, OrderStatus], started_at: datetime
) -> None:
    session, result, now = tracking.session, tracking.result, tracking.context.clock()
    moves: dict[tuple[OrderState, OrderState], list[OrderChange]] = defaultdict(list)
    findings = []
    lock(session, [order.id for order in orders])
    for order in orders:
        status = statuses.get(order.number)
        found = _named(order, status, now) if status is not None else _not_named(order, result, started_at, now)
        if found is None:
            continue
        change = OrderChange(order.id, found.columns, reason=_why_reopened(order.state, found.to_state))
        if found.to_state is order.state:
            rewrite(session, [change], state=order.state)
        else:
            moves[order.state, found.to_state].append(change)
        exchange = attempts.exchange_for(order.number, status)
        findings.append(attempts.Finding(order.id, found.sentence, exchange))
    for (from_state, to_state), changes in moves.items():
        moved = move(session, changes, from_state=from_state, to_state=to_state, now=now)
        result.shipped += moved if to_state is OrderState.SHIPPED else 0
        result.cancelled += moved if to_state is OrderState.CLOSED else 0
        if to_state is OrderState.SHIPPED:
            search_rows.refresh(session, [change.order_id for change in changes])
    attempts.log_findings(
        session,
        findings,
        merchant_id=tracking.merchant.id,
        trigger=tracking.context.trigger,
        started_at=started_at,
        finished_at=now,
    )


def _why_reopened(from_state: OrderState, to_state: OrderState) -> str:
    if from_state is not OrderState.CLOSED:
        return ""
    return SHIPPED_AFTER_ALL if to_state is OrderState.SHIPPED else NOT_CANCELED


def _not_named(order: _AtWarehouse, result: TrackResult, started_at: datetime, now: datetime) -> _News | None:
    """Count an order as missing that the answer doesn't name, unless it was canceled or has only just been sent."""
    is_new = order.submitted_at is not None and order.submitted_at + STATUS_LAG > started_at
    if order.state is OrderState.CLOSED or is_new:
        return None
    result.missing += 1
    if order.fcp_missing_since is not None:
        return None
    return _News(order.state, {"fcp_missing_since": now}, wording.LOST)


def _named(order: _AtWarehouse, status: OrderStatus, now: datetime) -> _News | None:
    """Return what the status means for the order, or None if it is no news."""
    known: OrderColumns = {"fcp_order_id": status.order_id or order.fcp_order_id, "fcp_status": status.status}
    if status.kind is StatusKind.UNKNOWN and status.status != order.fcp_status:
        log.warning("track.unknown_status", extra={"order": order.number, "status": status.status})
    was_canceled = order.state is OrderState.CLOSED
    if was_canceled:
        known |= reopened_columns()
    if status.is_shipped:
        return _News(OrderState.SHIPPED, {**known, **shipped_columns(status, now)}, wording.SHIPPED)
    if was_canceled:
        if status.is_cancelled or not status.status:
            return None
        return _News(OrderState.SUBMITTED, {**known, "fcp_missing_since": None}, wording.taken_up_again(status.status))
    if status.is_cancelled:
        closing = closed_columns(CANCELED_AT_THE_WAREHOUSE, ClosedBecause.CANCELED)
        return _News(OrderState.CLOSED, {**known, **closing}, wording.CANCELED)
    if order.fcp_missing_since is not None or status.status != order.fcp_status:
        columns: OrderColumns = {**known, "fcp_missing_since": None}
        return _News(OrderState.SUBMITTED, columns, wording.status_there(status.status))
    return None
