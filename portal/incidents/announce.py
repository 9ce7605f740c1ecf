"""Queue the messages about incidents: one when it has lasted, one when it is over, and a reminder each day between.

Each incident's row says what was told. It is marked in the transaction that queues the messages, and only by the one
who finds it as it was, so a worker and the watch may both do it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import ColumnElement, CursorResult, select, union, update

from portal.incidents.incident_letters import letter
from portal.incidents.kinds import KINDS
from portal.incidents.readers import StillOpen, readers, told_by
from portal.incidents.telling import IS_TOLD_AS_OPEN, due_message
from portal.messages import webhooks
from portal.messages.outbox import Mail, queue_mails
from portal.models import Incident, IncidentKind, MessageKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.messages.events import Told

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
    due = [(one, kind, _key(one, kind), _seen(one)) for one in incidents if (kind := due_message(one, now)) is not None]
    for incident, kind, key, seen in due:
        if _mark(session, incident.id, seen, kind, now):
            told = told_by(session, incident, now)
            _queue_mails(session, settings, incident, kind=kind, key=key, told=told, now=now)
            _queue_webhooks(session, settings, incident, kind=kind, told=told, now=now)
        session.commit()
    session.commit()


def _key(incident: Incident, kind: MessageKind) -> str:
    """Return what makes this message different from the incident's others: what was told before it."""
    before = [incident.opening_told_at, incident.closing_told_at, incident.reminded_at]
    last = max((one for one in before if one is not None), default=None)
    return f"{kind}:{incident.id}:{last.isoformat() if last else 'first'}"


def _seen(incident: Incident) -> list[ColumnElement[bool]]:
    """Return the conditions that the row is as it was seen."""
    return [column.is_not_distinct_from(getattr(incident, column.key)) for column in _SEEN]


def _mark(
    session: Session, incident_id: int, seen: Sequence[ColumnElement[bool]], kind: MessageKind, now: datetime
) -> bool:
    """Mark the message as told. Return whether the row was still as it was seen."""
    marked = update(Incident).where(Incident.id == incident_id, *seen).values({_TOLD_IN[kind]: now})
    result = session.execute(marked.execution_options(synchronize_session=False))
    return cast("CursorResult[object]", result).rowcount == 1


def _queue_mails(
    session: Session,
    settings: Settings,
    incident: Incident,
    *,
    kind: MessageKind,
    key: str,
    told: Callable[[int | None], Told],
    now: datetime,
) -> None:
    still_open = StillOpen(session, incident) if kind is MessageKind.INCIDENT_CLOSED else None
    mails: dict[str, Mail] = {}
    for person, reader in readers(session, settings, incident, told):
        is_operator = person.user_id is None
        others = still_open.for_reader(reader, is_operator=is_operator) if still_open else []
        mails.setdefault(
            person.email,
            Mail(
                letter(kind, incident, reader, others, now),
                to=person,
                kind=kind,
                key=f"{key}:{person.email}",
                merchant_id=None if is_operator else reader.merchant_id,
                incident_id=incident.id,
                unsubscribe_kind=incident.kind,
            ),
        )
    queue_mails(session, settings, list(mails.values()), now)


def _queue_webhooks(
    session: Session,
    settings: Settings,
    incident: Incident,
    *,
    kind: MessageKind,
    told: Callable[[int | None], Told],
    now: datetime,
) -> None:
    row = KINDS[incident.kind]
    webhooks.queue_for_incident(
        session,
        settings,
        incident,
        kind=kind,
        subject=f"Resolved: {incident.title}" if kind is MessageKind.INCIDENT_CLOSED else incident.title,
        told=told,
        now=now,
        to_merchants=row.tells_merchant and incident.kind is not IncidentKind.WEBHOOK_OFF,
        to_operator=row.tells_operator,
    )
