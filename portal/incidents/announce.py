"""Queue the messages about incidents: one when it has lasted, one when it is over, and a reminder each day between.

Each incident's row says what was told. It is marked in the transaction that queues the messages, and only by the one
who finds it as it was, so a worker and the watch may both do it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import ColumnElement, CursorResult, or_, select, union, update

from portal.incidents import outcome
from portal.incidents.detect.services import waiting_orders
from portal.incidents.incident_letters import SUPPORT_PAGE, Reader, letter
from portal.incidents.kinds import KINDS, fix_path
from portal.incidents.telling import IS_TOLD_AS_OPEN, due_message
from portal.messages import webhooks
from portal.messages.events import Told
from portal.messages.outbox import queue_mail
from portal.messages.recipients import Person, merchant_people, operators
from portal.models import Alerts, Incident, IncidentKind, Merchant, MessageKind, Store
from portal.reports.store_days import days_of
from portal.rules.time_zones import UTC_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

_TOLD_IN: Mapping[MessageKind, str] = {
    MessageKind.INCIDENT_OPENED: "opening_told_at",
    MessageKind.INCIDENT_CLOSED: "closing_told_at",
    MessageKind.INCIDENT_REMINDER: "reminded_at",
}
_SEEN = (
    Incident.closed_at, Incident.opening_told_at, Incident.closing_told_at, Incident.reminded_at,
    Incident.acknowledged_at,
)  # fmt: skip


def announce(session: Session, settings: Settings, now: datetime) -> None:
    """Queue what is to be told now. Commits."""
    # Each half has an index. With OR, SQLite would read the whole table.
    candidates = [select(Incident.id).where(condition) for condition in (Incident.closed_at.is_(None), IS_TOLD_AS_OPEN)]
    query = select(Incident).where(Incident.id.in_(union(*candidates))).order_by(Incident.id)
    incidents = session.scalars(query.execution_options(populate_existing=True)).all()
    for incident, kind in [(one, kind) for one in incidents if (kind := due_message(one, now)) is not None]:
        key = _key(incident, kind)
        if _mark(session, incident, kind, now):
            _queue_mails(session, settings, incident, kind=kind, key=key, now=now)
            _queue_webhooks(session, settings, incident, kind=kind, now=now)
        session.commit()
    session.commit()


def _key(incident: Incident, kind: MessageKind) -> str:
    """Return what makes this message different from the incident's others: what was told before it."""
    before = [incident.opening_told_at, incident.closing_told_at, incident.reminded_at]
    last = max((one for one in before if one is not None), default=None)
    return f"{kind}:{incident.id}:{last.isoformat() if last else 'first'}"


def _mark(session: Session, incident: Incident, kind: MessageKind, now: datetime) -> bool:
    """Mark the message as told. Return whether the row was still as it was seen."""
    unchanged: list[ColumnElement[bool]] = [
        column.is_not_distinct_from(getattr(incident, column.key)) for column in _SEEN
    ]
    marked = update(Incident).where(Incident.id == incident.id, *unchanged).values({_TOLD_IN[kind]: now})
    result = session.execute(marked.execution_options(synchronize_session=False))
    return cast("CursorResult[object]", result).rowcount == 1


def _queue_mails(
    session: Session, settings: Settings, incident: Incident, *, kind: MessageKind, key: str, now: datetime
) -> None:
    told = set()
    for person, reader in _readers(session, settings, incident, now):
        if person.email in told:
            continue
        told.add(person.email)
        others = _others(session, incident, reader, is_operator=person.user_id is None)
        queue_mail(
            session,
            settings,
            letter(kind, incident, reader, others, now),
            to=person,
            kind=kind,
            key=f"{key}:{person.email}",
            merchant_id=None if person.user_id is None else reader.merchant_id,
            incident_id=incident.id,
            unsubscribe_kind=incident.kind,
            now=now,
        )


def _readers(
    session: Session, settings: Settings, incident: Incident, now: datetime
) -> Iterator[tuple[Person, Reader]]:
    """Yield who is to be told, with what their mail depends on."""
    row = KINDS[incident.kind]
    if row.tells_merchant:
        choices = {Alerts.ALL, Alerts.STOPS} if row.stops_orders else {Alerts.ALL}
        merchant_ids = _live_merchants(session) if incident.merchant_id is None else [incident.merchant_id]
        for merchant_id in merchant_ids:
            stores = session.scalars(select(Store).where(Store.merchant_id == merchant_id).order_by(Store.id)).all()
            told = _told(session, incident, merchant_id, now)
            reader = Reader(days_of(stores).zone, merchant_id, told.orders, told.outcome)
            for person in merchant_people(session, merchant_id, incident.kind, choices=choices):
                yield person, reader
    if row.tells_operator:
        merchant = None if incident.merchant_id is None else session.get(Merchant, incident.merchant_id)
        name = merchant.name if merchant else ""
        reader = Reader(UTC_ZONE, incident.merchant_id, incident.orders, incident.outcome, name)
        for person in operators(settings):
            yield person, reader


def _told(session: Session, incident: Incident, merchant_id: int | None, now: datetime) -> Told:
    """Return what this merchant is told of the incident or, for None, the operator."""
    whose = merchant_id or incident.merchant_id
    path = SUPPORT_PAGE if whose is None else fix_path(incident.kind, merchant=whose, subject=incident.subject)
    orders = incident.orders
    if merchant_id is not None and incident.merchant_id is None:
        orders = waiting_orders(session, [merchant_id]).get(merchant_id, 0) if incident.closed_at is None else 0
    return Told(orders, outcome.told_to(session, incident, now, merchant_id=merchant_id), path)


def _live_merchants(session: Session) -> Sequence[int]:
    """Return the merchants for whom orders are sent."""
    is_live = (Store.live.is_(True), Store.sealed_token != "")
    return session.scalars(select(Store.merchant_id).where(*is_live).distinct().order_by(Store.merchant_id)).all()


def _others(session: Session, incident: Incident, reader: Reader, *, is_operator: bool) -> Sequence[Incident]:
    """Return what else is open, worst and oldest first, of what this reader is told."""
    kinds = [kind for kind, row in KINDS.items() if (row.tells_operator if is_operator else row.tells_merchant)]
    is_open = select(Incident).where(Incident.closed_at.is_(None), Incident.id != incident.id, Incident.kind.in_(kinds))
    if reader.merchant_id is not None:
        is_open = is_open.where(or_(Incident.merchant_id == reader.merchant_id, Incident.merchant_id.is_(None)))
    rank = list(KINDS)
    return sorted(session.scalars(is_open).all(), key=lambda one: (rank.index(one.kind), one.id))


def _queue_webhooks(
    session: Session, settings: Settings, incident: Incident, *, kind: MessageKind, now: datetime
) -> None:
    row = KINDS[incident.kind]
    webhooks.queue_for_incident(
        session,
        settings,
        incident,
        kind=kind,
        subject=f"Resolved: {incident.title}" if kind is MessageKind.INCIDENT_CLOSED else incident.title,
        told=lambda merchant_id: _told(session, incident, merchant_id, now),
        now=now,
        to_merchants=row.tells_merchant and incident.kind is not IncidentKind.WEBHOOK_OFF,
        to_operator=row.tells_operator,
    )
