"""Prometheus metrics: orders by state, age of the oldest waiting order, and live workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from portal.fulfillment.hosts import all_failing
from portal.models import HostName, Order, OrderState, Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

WAITING = (OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED)


def exposition(session: Session, engine: Mapping[str, Any] | None, expected: Mapping[str, int], now: datetime) -> bytes:
    """Return the metrics of all merchants together as Prometheus text, which names no merchant and no buyer.

    ``engine`` is the result of portal.queue.health(), or None when Redis is down: its metrics are then left out.
    ``expected`` is how many workers and schedules should be running.
    """
    # Not the global registry: every process reports on the whole portal, not on itself.
    registry = CollectorRegistry()
    orders = Gauge("portal_orders", "Orders by state.", ["state"], registry=registry)
    by_state = {
        row.state: row.number
        for row in session.execute(select(Order.state, func.count().label("number")).group_by(Order.state))
    }
    for state in OrderState:
        orders.labels(state.value).set(by_state.get(state, 0))
    oldest = session.scalar(select(func.min(Order.state_changed_at)).where(Order.state.in_(WAITING)))
    _set(
        registry,
        "portal_oldest_waiting_seconds",
        "Seconds since the oldest waiting order became ready, sending or unconfirmed; 0 if none is waiting.",
        max((now - oldest).total_seconds(), 0) if oldest is not None else 0,
    )
    to_reconnect = select(func.count()).where(Store.reconnect_needed_at.is_not(None), Store.sealed_token != "")
    _set(
        registry,
        "portal_stores_reconnect_needed",
        "Stores whose access token Big Cartel no longer accepts.",
        session.scalar(to_reconnect) or 0,
    )
    _set(registry, "portal_workers_expected", "Workers that should be running.", expected["workers"])
    _set(registry, "portal_schedules_expected", "Schedules that should be running.", expected["schedules"])
    hosts = Gauge("portal_host_failing", "1 while the service fails for everyone, else 0.", ["host"], registry=registry)
    failing = all_failing(session)
    for name in HostName:
        hosts.labels(name.value).set(int(name in failing))
    _set(registry, "portal_redis_up", "1 if Redis is reachable, 0 if not.", 0 if engine is None else 1)
    if engine is not None:
        _set(registry, "portal_workers", "Live workers.", engine["workers"])
        _set(registry, "portal_schedules", "Live schedules.", engine["schedules"])
        _set(registry, "portal_queue_length", "Jobs waiting for a worker.", engine["waiting"])
    return generate_latest(registry)


def _set(registry: CollectorRegistry, name: str, description: str, value: float) -> None:
    Gauge(name, description, registry=registry).set(value)
