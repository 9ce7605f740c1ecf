"""Keep one open incident for each thing that is wrong: open, update, close and reopen rows by a finding's key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.incidents import outcome
from portal.incidents.reconcile_again import reconcile_again
from portal.incidents.telling import GRACE, REOPENED_WITHIN, is_told_as_open
from portal.models import Incident, IncidentEvent
from portal.models.base import chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.incidents.finding import Finding
    from portal.models import IncidentKind

MAX_NUMBERS = 50
"""Order numbers that an incident keeps."""

_incidents = cast("Table", Incident.__table__)
_events = cast("Table", IncidentEvent.__table__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Ids of incidents that this call opened (or reopened) and closed."""

    opened: Sequence[int] = ()
    closed: Sequence[int] = ()


def record(
    session: Session, findings: Iterable[Finding], *, kinds: Collection[IncidentKind], now: datetime
) -> Recorded:
    """Make the open incidents of these kinds agree with what was found. Commits.

    Only incidents whose kind is in ``kinds`` are closed if they were not found. Of two processes that record the same
    at once, one opens or closes an incident, and the other changes nothing.
    """
    found: Mapping[str, Finding] = {finding.key: finding for finding in findings}
    known = {incident.key: incident for incident in _open(session, kinds)}
    ended = [incident for key, incident in known.items() if key not in found]
    _update(session, [(known[key], finding) for key, finding in found.items() if key in known], now)
    _close(session, ended, now)
    new = [finding for key, finding in sorted(found.items()) if key not in known]
    reopened = _reopen(session, new, now)
    opened = _add(session, [finding for finding in new if finding.key not in reopened], now)
    session.commit()
    return Recorded([*reopened.values(), *opened], [incident.id for incident in ended])


def _open(session: Session, kinds: Collection[IncidentKind]) -> Sequence[Incident]:
    """Return the open incidents of these kinds, locked: another process waits and then sees what this one wrote."""
    query = select(Incident).where(Incident.closed_at.is_(None), Incident.kind.in_(kinds)).order_by(Incident.id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()


def _update(session: Session, seen: Sequence[tuple[Incident, Finding]], now: datetime) -> None:
    for incident, finding in seen:
        if incident.title != finding.title:
            session.add(IncidentEvent(incident_id=incident.id, at=now, sentence=f"{finding.title}."))
        _take_over(incident, finding)
        incident.checked_at = now


def _take_over(incident: Incident, finding: Finding) -> None:
    """Set what the finding says, only where it differs, so that nothing is written otherwise."""
    values: dict[str, object] = _columns(finding) | {
        "most_orders": max(incident.most_orders, finding.orders),
    }
    for name, value in values.items():
        if getattr(incident, name) != value:
            setattr(incident, name, value)


def _columns(finding: Finding) -> dict[str, object]:
    return {
        "subject": finding.subject,
        "title": finding.title,
        "explanation": finding.explanation,
        "orders": finding.orders,
        "order_numbers": list(finding.order_numbers[:MAX_NUMBERS]),
    }


def _close(session: Session, ended: Sequence[Incident], now: datetime) -> None:
    for incident in ended:
        incident.closed_at = incident.checked_at = now
        incident.orders = 0
        incident.outcome = outcome.sentence(session, incident, now)
        # Every merchant reads the history of what all share, and none the sum of their orders.
        ended_how = incident.outcome if incident.merchant_id is not None else incident.outcome.partition(":")[0]
        session.add(IncidentEvent(incident_id=incident.id, at=now, sentence=f"Closed: {ended_how.rstrip('.')}."))
    reconcile_again(session, ended, now)


def _reopen(session: Session, new: Sequence[Finding], now: datetime) -> dict[str, int]:
    """Reopen incidents that ended just now. Return their ids by key."""
    by_key = {finding.key: finding for finding in new}
    latest: dict[str, Incident] = {}
    for keys in chunks(sorted(by_key)):
        recent = (
            select(Incident)
            .where(Incident.key.in_(keys), Incident.closed_at > now - REOPENED_WITHIN)
            .order_by(Incident.closed_at, Incident.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        latest |= {incident.key: incident for incident in session.scalars(recent)}
    for key, incident in latest.items():
        _come_back(incident, by_key[key].since, now)
        _take_over(incident, by_key[key])
        session.add(IncidentEvent(incident_id=incident.id, at=now, sentence=f"Reopened: {incident.title}."))
    return {key: incident.id for key, incident in latest.items()}


def _come_back(incident: Incident, since: datetime, now: datetime) -> None:
    """Continue an incident that people know is open. Start any other one over: an earlier blip doesn't count.

    One that nobody was told about and that comes back within the grace period keeps the time it has lasted. So what
    comes and goes is told about in the end.
    """
    ended_at, told_at = incident.closed_at or now, incident.opening_told_at
    is_told = is_told_as_open(incident)
    adds_up = now <= ended_at + GRACE and (told_at is None or told_at < incident.found_at)
    incident.closed_at, incident.outcome, incident.checked_at = None, "", now
    incident.reopened_at = now if told_at is not None or adds_up else None
    if not is_told:
        lasted = ended_at - incident.found_at if adds_up else timedelta()
        incident.found_at, incident.opened_at, incident.most_orders = now - lasted, min(since, now), 0


def _add(session: Session, new: Sequence[Finding], now: datetime) -> list[int]:
    """Open incidents. One that another process has just opened is left alone. Return the ids of the others."""
    if not new:
        return []
    session.flush()
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    start = postgresql.insert(_incidents) if is_postgresql else sqlite.insert(_incidents)
    statement = start.on_conflict_do_nothing(
        index_elements=["key"], index_where=_incidents.c.closed_at.is_(None)
    ).returning(_incidents.c.id, _incidents.c.title)
    rows = [_new_row(finding, now) for finding in new]
    added = session.connection().execute(statement, rows).all()
    events = [{"incident_id": one.id, "at": now, "sentence": f"Opened: {one.title}."} for one in added]
    if events:
        session.connection().execute(insert(_events), events)
    return [one.id for one in added]


def _new_row(finding: Finding, now: datetime) -> dict[str, object]:
    return _columns(finding) | {
        "kind": finding.kind,
        "key": finding.key,
        "merchant_id": finding.merchant_id,
        "most_orders": finding.orders,
        "opened_at": min(finding.since, now),
        "found_at": now,
        "checked_at": now,
        "outcome": "",
        "acknowledged_by": "",
    }
