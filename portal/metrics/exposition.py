"""Prometheus metrics of all merchants together, from what the database and Redis show at the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from portal.fulfillment.hosts import all_failing
from portal.metrics import recent
from portal.models import HostName, Incident, IncidentKind, Order, OrderState, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from prometheus_client import Metric
    from sqlalchemy.orm import Session


class Given(Collector):
    """Metrics that were read already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


WAITING = (OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED)


def text(
    session: Session,
    engine: Mapping[str, Any] | None,
    expected: Mapping[str, int],
    calls: Iterable[Metric],
    now: datetime,
) -> bytes:
    """Return the metrics of all merchants together as Prometheus text, which names no merchant and no buyer.

    ``engine`` is the result of portal.queue.health(), or None when Redis is down: its metrics are then left out.
    ``expected`` is how many workers and schedules should be running, and ``calls`` the result of shown_calls.read().
    """
    # Not the global registry: every process reports on the whole portal, not on itself.
    registry = CollectorRegistry()
    _orders(registry, session, now)
    _stores(registry, session, now)
    _incidents(registry, session)
    registry.register(Given([*recent.read(session, now), *calls]))
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
        _set(
            registry,
            "portal_queue_oldest_seconds",
            "Seconds that the next job has been waiting for a worker; 0 if none is.",
            _age(engine.get("waits_since"), now),
        )
    return generate_latest(registry)


def _orders(registry: CollectorRegistry, session: Session, now: datetime) -> None:
    orders = Gauge("portal_orders", "Orders by state.", ["state"], registry=registry)
    number = func.count().label("number")
    by_state = {row.state: row.number for row in session.execute(select(Order.state, number).group_by(Order.state))}
    for state in OrderState:
        orders.labels(state.value).set(by_state.get(state, 0))
    first = func.min(Order.state_changed_at).label("first")
    waiting = select(Order.state, first).where(Order.state.in_(WAITING)).group_by(Order.state)
    since = {row.state: row.first for row in session.execute(waiting)}
    _set(
        registry,
        "portal_oldest_waiting_seconds",
        "Seconds since the oldest waiting order became ready, sending or unconfirmed; 0 if none is waiting.",
        _age(min(since.values(), default=None), now),
    )
    _set(
        registry,
        "portal_oldest_ready_seconds",
        "Seconds since the oldest ready order became ready; 0 if none is.",
        _age(since.get(OrderState.READY), now),
    )
    _set(
        registry,
        "portal_oldest_unconfirmed_seconds",
        "Seconds since the oldest unconfirmed order became unconfirmed; 0 if none is.",
        _age(since.get(OrderState.UNCONFIRMED), now),
    )


def _stores(registry: CollectorRegistry, session: Session, now: datetime) -> None:
    to_reconnect = select(func.count()).where(Store.reconnect_needed_at.is_not(None), Store.sealed_token != "")
    _set(
        registry,
        "portal_stores_reconnect_needed",
        "Stores whose access token Big Cartel no longer accepts.",
        session.scalar(to_reconnect) or 0,
    )
    _set(
        registry,
        "portal_poll_lag_seconds",
        "Seconds by which the sync of the most overdue connected store is late; 0 if none is.",
        _age(session.scalar(select(func.min(Store.next_poll_at)).where(Store.is_connected)), now),
    )


def _incidents(registry: CollectorRegistry, session: Session) -> None:
    incidents = Gauge("portal_incidents_open", "Open incidents by kind.", ["kind"], registry=registry)
    number = func.count().label("number")
    rows = session.execute(select(Incident.kind, number).where(Incident.closed_at.is_(None)).group_by(Incident.kind))
    by_kind = {row.kind: row.number for row in rows}
    for kind in IncidentKind:
        incidents.labels(kind.value).set(by_kind.get(kind, 0))


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0) if since is not None else 0


def _set(registry: CollectorRegistry, name: str, description: str, value: float) -> None:
    Gauge(name, description, registry=registry).set(value)
