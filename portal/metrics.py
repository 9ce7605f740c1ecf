"""What an operator's Prometheus reads: how many orders are where, how long the oldest waits, whether anyone works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from portal.models import Order, OrderState, Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

WAITING = (OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED)


def exposition(session: Session, engine: Mapping[str, Any] | None, now: datetime) -> bytes:
    """The figures of all merchants together as Prometheus text; no name of anybody.

    ``engine`` is portal.queue.health's answer, None when Redis does not answer: its figures are then left out.
    """
    # A registry of its own: every process answers for the whole portal, not for itself.
    registry = CollectorRegistry()
    orders = Gauge("portal_orders", "Orders by state.", ["state"], registry=registry)
    by_state = {
        row.state: row.number
        for row in session.execute(select(Order.state, func.count().label("number")).group_by(Order.state))
    }
    for state in OrderState:
        orders.labels(state.value).set(by_state.get(state, 0))
    since = session.scalar(select(func.min(Order.state_changed_at)).where(Order.state.in_(WAITING)))
    _set(
        registry,
        "portal_oldest_waiting_seconds",
        "How long the oldest order has been waiting to be sent or confirmed; 0 when none is.",
        max((now - since).total_seconds(), 0) if since is not None else 0,
    )
    to_reconnect = select(func.count()).where(Store.reconnect_needed_at.is_not(None), Store.sealed_token != "")
    _set(
        registry,
        "portal_stores_reconnect_needed",
        "Stores whose access Big Cartel refused.",
        session.scalar(to_reconnect) or 0,
    )
    _set(registry, "portal_redis_up", "1 when Redis answers.", 0 if engine is None else 1)
    if engine is not None:
        _set(registry, "portal_workers", "Workers that are alive.", engine["workers"])
        _set(registry, "portal_schedules", "Schedulers that are alive.", engine["schedules"])
        _set(registry, "portal_queue_length", "Jobs that wait for a worker.", engine["waiting"])
    return generate_latest(registry)


def _set(registry: CollectorRegistry, name: str, what: str, value: float) -> None:
    Gauge(name, what, registry=registry).set(value)
