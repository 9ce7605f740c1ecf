"""How an incident ended, in one sentence. It is counted again until people are told, because orders are still sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, or_, select

from portal.models import HostName, Incident, IncidentKind, Order, Store
from portal.models.states import AT_THE_WAREHOUSE
from portal.wording.counts import count_of, length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

REFRESHED_FOR = timedelta(minutes=5)
"""How long after its end an outcome may still change."""
_JUST_SEEN = timedelta(minutes=5)
"""An order that was known for longer before the incident began had waited for something else: it was on hold."""
_K = IncidentKind
_SENDING = frozenset({_K.HOST_FAILING, _K.CREDENTIALS_REJECTED})
_SYNCING = frozenset({_K.RECONNECT_NEEDED, _K.STORE_NOT_SYNCED})
_OF_ORDERS: Mapping[IncidentKind, str] = {
    _K.ORDERS_REJECTED: "fixed or closed",
    _K.ORDERS_ON_HOLD: "released, fixed or closed",
    _K.ORDERS_NOT_SENT: "sent, retried or closed",
    _K.ORDERS_LOST: "found again, retried or closed",
    _K.BIG_CARTEL_NOT_TOLD: "marked as shipped, retried or closed",
    _K.ORDERS_AGEING: "shipped or closed",
    _K.CHANGED_AFTER_SENDING: "seen to, shipped or closed",
    _K.UNACCOUNTED_FOR: "accounted for",
}
_BACK: Mapping[IncidentKind, str] = {
    _K.CREDENTIALS_REJECTED: "The credentials are accepted again",
    _K.RECONNECT_NEEDED: "Reconnected",
    _K.STORE_NOT_SYNCED: "Synced again",
    _K.HOST_FAILING: "Back",
    _K.SHIPMENTS_UNKNOWN: "Shipments are checked again",
    _K.PRODUCTS_WITHOUT_SKU: "Every product on sale has a usable SKU",
    _K.WEBHOOK_OFF: "Turned on again or removed",
}


class _Affected(NamedTuple):
    orders: int
    """How many were sent or synced."""
    longest: timedelta = timedelta()
    """How long the oldest one waited."""


def sentence(session: Session, incident: Incident, now: datetime, *, merchant_id: int | None = None) -> str:
    """Return how the incident ended, counting the orders of this merchant, or of all that it concerned."""
    return _worded(incident, now, _affected(session, incident, now, merchant_id).values())


def told_to(session: Session, incident: Incident, now: datetime, *, merchant_id: int | None) -> str:
    """Return how the incident ended for this merchant; nobody reads the sum of what concerned others, too.

    The operator, for whom ``merchant_id`` is None, does.
    """
    if merchant_id is None or incident.merchant_id is not None or incident.closed_at is None:
        return incident.outcome
    return sentence(session, incident, now, merchant_id=merchant_id)


def told_to_each(session: Session, incident: Incident, now: datetime) -> Callable[[int], str]:
    """Return the same by merchant, counted at once for all of them."""
    if incident.merchant_id is not None or incident.closed_at is None:
        return lambda _: incident.outcome
    affected = _affected(session, incident, now, None)
    return lambda merchant_id: _worded(incident, now, [affected[merchant_id]] if merchant_id in affected else [])


def refresh(session: Session, now: datetime) -> None:
    """Count again how incidents ended that people haven't been told about yet. Commits."""
    query = select(Incident).where(
        Incident.closed_at > now - REFRESHED_FOR,
        or_(Incident.closing_told_at.is_(None), Incident.closing_told_at < Incident.closed_at),
        Incident.kind.in_(_SENDING | _SYNCING),
    )
    for incident in session.scalars(query).all():
        incident.outcome = sentence(session, incident, now)
    session.commit()


def _worded(incident: Incident, now: datetime, affected: Iterable[_Affected]) -> str:
    if incident.kind in _OF_ORDERS:
        return _of_orders(incident.most_orders, _OF_ORDERS[incident.kind])
    lasted = length((incident.closed_at or now) - incident.opened_at)
    start = f"{_BACK.get(incident.kind, 'Over')} after {lasted}"
    each = list(affected)
    orders = sum(one.orders for one in each)
    if _is_about_new_orders(incident):
        synced = count_of(orders, "new order") if orders else "no new orders"
        return f"{start}: {synced} synced."
    if incident.kind not in _SENDING:
        return f"{start}."
    if not orders:
        return f"{start}: no order had to wait."
    longest = max(one.longest for one in each)
    return f"{start}: {count_of(orders, 'order')} sent, the oldest waited {length(longest)}."


def _of_orders(most: int, how: str) -> str:
    match most:
        case 0:
            return f"Everything was {how}."
        case 1:
            return f"The order was {how}."
        case _:
            return f"All {most} orders were {how}."


def _affected(session: Session, incident: Incident, now: datetime, merchant_id: int | None) -> Mapping[int, _Affected]:
    """Return which orders the end is told with, by merchant: of this one, or of all that the incident concerned."""
    if _is_about_new_orders(incident):
        return _new_orders(session, incident, now, merchant_id)
    return _sent(session, incident, now, merchant_id) if incident.kind in _SENDING else {}


def _is_about_new_orders(incident: Incident) -> bool:
    is_big_cartel = incident.kind is _K.HOST_FAILING and incident.subject == HostName.BIG_CARTEL
    return is_big_cartel or incident.kind in _SYNCING


def _end_of_count(incident: Incident, now: datetime) -> datetime:
    """Return until when orders count: what is sent days later had waited for something else."""
    return now if incident.closed_at is None else incident.closed_at + REFRESHED_FOR


def _sent(session: Session, incident: Incident, now: datetime, merchant_id: int | None) -> Mapping[int, _Affected]:
    """Return how many orders that had waited were sent, and how long the oldest did."""
    began = incident.opened_at
    query = select(Order.merchant_id, Order.submitted_at, Order.first_seen_at).where(
        Order.state.in_(AT_THE_WAREHOUSE),
        Order.submitted_at.between(began, _end_of_count(incident, now)),
        Order.first_seen_at < (incident.closed_at or began),
        *_of_its_merchant(incident, merchant_id),
    )
    waits: dict[int, list[timedelta]] = {}
    for order in session.execute(query):
        since = order.first_seen_at if order.first_seen_at > began - _JUST_SEEN else began
        waits.setdefault(order.merchant_id, []).append(order.submitted_at - since)
    return {merchant: _Affected(len(theirs), max(theirs)) for merchant, theirs in waits.items()}


def _new_orders(
    session: Session, incident: Incident, now: datetime, merchant_id: int | None
) -> Mapping[int, _Affected]:
    query = (
        select(Order.merchant_id, func.count())
        .join(Store, Store.id == Order.store_id)
        .where(
            Order.first_seen_at.between(incident.opened_at, _end_of_count(incident, now)),
            *_of_its_merchant(incident, merchant_id),
        )
        .group_by(Order.merchant_id)
    )
    if incident.kind in _SYNCING:
        query = query.where(Order.store_id == int(incident.subject))
    return {merchant: _Affected(count) for merchant, count in session.execute(query)}


def _of_its_merchant(incident: Incident, merchant_id: int | None) -> tuple[ColumnElement[bool], ...]:
    whose = merchant_id if incident.merchant_id is None else incident.merchant_id
    return () if whose is None else (Order.merchant_id == whose,)
