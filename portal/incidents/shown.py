"""Which incidents a page or a note shows to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select

from portal.incidents.kinds import KINDS
from portal.models import Channel, Incident, IncidentEvent, IncidentKind, Message, Store, User
from portal.reports.attention import Kind as ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.models import Merchant
    from portal.reports.attention import Problem
    from portal.reports.overview import OpenOrders

MOST_OPEN = 200
"""Open incidents listed on one page; the closed ones are paged."""
_TELL_MERCHANTS = tuple(kind for kind, row in KINDS.items() if row.tells_merchant)
_ALWAYS_STATED = frozenset({
    IncidentKind.HOST_FAILING, IncidentKind.CREDENTIALS_REJECTED, IncidentKind.RECONNECT_NEEDED,
    IncidentKind.UNACCOUNTED_FOR, IncidentKind.SHIPMENTS_UNKNOWN, IncidentKind.PRODUCTS_WITHOUT_SKU,
})  # fmt: skip
"""What the dashboard already says at once, from the state of the merchant, its stores and products."""
_FIGURES: Mapping[IncidentKind, str] = {
    IncidentKind.ORDERS_REJECTED: "rejected",
    IncidentKind.ORDERS_NOT_SENT: "not_sent",
    IncidentKind.BIG_CARTEL_NOT_TOLD: "not_told",
    IncidentKind.ORDERS_LOST: "lost",
}
"""The count of orders that these incidents split up by cause."""


def for_merchant(merchant: Merchant) -> ColumnElement[bool]:
    """Return the condition for a merchant's incidents: its own, and those of a service that fails for everyone.

    The latter stay in the list of a merchant that has a live store and existed at the time.
    """
    is_live = exists().where(Store.merchant_id == merchant.id, Store.live)
    concerned = or_(Incident.closed_at.is_(None), and_(Incident.closed_at >= merchant.created_at, is_live))
    of_everyone = and_(Incident.merchant_id.is_(None), Incident.kind.in_(_TELL_MERCHANTS), concerned)
    return or_(Incident.merchant_id == merchant.id, of_everyone)


def open_incidents(session: Session, merchant: Merchant) -> Sequence[Incident]:
    """Return the newest open incidents that concern the merchant, the worst kinds first."""
    query = select(Incident).where(for_merchant(merchant), Incident.closed_at.is_(None))
    return worst_first(session.scalars(query.order_by(Incident.id.desc()).limit(MOST_OPEN)))


def worst_first(incidents: Iterable[Incident]) -> list[Incident]:
    """Sort incidents by kind, and the newest first within a kind."""
    ranks = list(IncidentKind)
    return sorted(incidents, key=lambda one: (ranks.index(one.kind), -one.id))


def unstated(incidents: Sequence[Incident], problems: Sequence[Problem]) -> list[Incident]:
    """Return the incidents that the dashboard's sentences about ``problems`` and its other counts don't state."""
    stops = {ProblemKind.OUTAGE, ProblemKind.RECONNECT} & {problem.kind for problem in problems}
    hidden = _ALWAYS_STATED | ({IncidentKind.STORE_NOT_SYNCED} if stops else set())
    return [one for one in incidents if one.kind not in hidden]


def explained(incidents: Sequence[Incident], orders: OpenOrders) -> set[str]:
    """Return which counts of orders the incidents split up completely, so that nobody has to read them twice.

    An order that just got there has no incident yet; until it has, its count is shown, too.
    """
    counts = figures(orders)
    return {
        figure
        for kind, figure in _FIGURES.items()
        if sum(one.orders for one in incidents if one.kind is kind) >= counts[figure] > 0
    }


def figures(orders: OpenOrders) -> Mapping[str, int]:
    """Return the counts of orders that need attention whatever holds them, by portal.wording.states.NEEDS_ATTENTION."""
    return {
        "rejected": orders.rejected,
        "not_sent": orders.not_sent,
        "not_told": orders.not_told,
        "lost": orders.lost,
    }


def messages_about(session: Session, incident: Incident, merchant: Merchant, *, to_support: bool) -> Sequence[Message]:
    """Return the messages about an incident, oldest first: to the merchant's people and webhook.

    Support also sees those to itself and to the operator.
    """
    team = select(User.id).where(User.merchant_id == merchant.id)
    theirs = and_(
        Message.merchant_id == merchant.id, or_(Message.channel == Channel.WEBHOOK, Message.user_id.in_(team))
    )
    whose = or_(Message.merchant_id == merchant.id, Message.merchant_id.is_(None)) if to_support else theirs
    query = select(Message).where(Message.incident_id == incident.id, whose).order_by(Message.id)
    return session.scalars(query).all()


def events_of(session: Session, incident_ids: Sequence[int]) -> Mapping[int, list[IncidentEvent]]:
    """Return the history of each incident, oldest first."""
    found: dict[int, list[IncidentEvent]] = {key: [] for key in incident_ids}
    query = select(IncidentEvent).where(IncidentEvent.incident_id.in_(incident_ids)).order_by(IncidentEvent.id)
    for event in session.scalars(query) if incident_ids else ():
        found[event.incident_id].append(event)
    return found
