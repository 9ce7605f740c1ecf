"""The circuit of each outside service, shared by all workers through the database.

When a service fails for everyone, scheduled work that needs it pauses. One cheap call probes it every 30 seconds, and
its first clear answer lets everything through again: nothing waits longer than the service was failing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, case, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.clients.errors import Cause, NotSent, ServiceError, Throttled
from portal.models import Host, HostName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Insert
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

PROBE_EVERY = timedelta(seconds=30)
FIRST_PROBE = timedelta(seconds=10)
"""How soon after the first failure a service is probed: many failures last a few seconds."""
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=20), timedelta(hours=1)
"""Limits for a Retry-After. With the shorter one, a service gets at most three probes a minute."""

_hosts = cast("Table", Host.__table__)


def failing(session: Session, name: HostName) -> Host | None:
    """Return the service's row if it is failing for everyone, else None."""
    query = select(Host).where(Host.name == name, Host.failing_since.is_not(None))
    return session.scalar(query.execution_options(populate_existing=True))


def all_failing(session: Session) -> Mapping[HostName, Host]:
    """Return every service that fails for everyone."""
    query = select(Host).where(Host.failing_since.is_not(None)).execution_options(populate_existing=True)
    return {host.name: host for host in session.scalars(query)}


def is_answering_sql(name: HostName) -> ColumnElement[bool]:
    """Return the condition that the service is not failing for everyone."""
    return ~exists().where(Host.name == name, Host.failing_since.is_not(None))


def due_for_probe(session: Session, now: datetime) -> Sequence[HostName]:
    """Return the failing services to probe now."""
    return session.scalars(select(Host.name).where(Host.failing_since.is_not(None), Host.probe_at <= now)).all()


def fails_for_all(
    session: Session,
    name: HostName,
    error: ServiceError,
    *,
    probe: Callable[[], object] | None,
    clock: Callable[[], datetime],
) -> bool:
    """Return whether the service fails for everyone, after ``error`` of Cause.HOST, and record it if so. Commits.

    One cheap call for another merchant or store (``probe``; None if there is no other) tells whether it fails for
    everyone. If it was probed within the last 30 seconds, that result counts, unless it couldn't be reached now. No
    transaction may be open.
    """
    known = failing(session, name) is not None
    session.commit()
    if known:
        return True
    is_unreachable = isinstance(error, NotSent) and not isinstance(error, Throttled)
    if probe is not None and claim_probe(session, name, clock()):
        failure = answers(name, probe)
        if failure is None:
            return False
        error = failure
    elif probe is not None and not is_unreachable:
        return False
    mark_failing(session, name, error, clock())
    session.commit()
    return True


def answers(name: HostName, probe: Callable[[], object]) -> ServiceError | None:
    """Return None if the call gets a clear answer, even a rejection; otherwise how the service fails.

    Big Cartel limits the rate of each store on its own, so its 429 is a clear answer too.
    """
    try:
        probe()
    except ServiceError as error:
        if name is HostName.BIG_CARTEL and isinstance(error, Throttled):
            return None
        return error if error.cause is Cause.HOST else None
    return None


def mark_failing(session: Session, name: HostName, error: ServiceError, now: datetime) -> None:
    """Record that the service fails for everyone. The caller commits."""
    was_failing = failing(session, name) is not None
    later = now + (_pause(error) if isinstance(error, Throttled) else FIRST_PROBE)
    row: dict[str, object] = {"name": name, "failing_since": now, "error": str(error), "probe_at": later}
    # A probe that is already planned stays, unless the service asked for a longer pause.
    floor = later if isinstance(error, Throttled) else now
    columns: dict[str, object] = {
        "failing_since": func.coalesce(_hosts.c.failing_since, now),
        "error": str(error),
        "probe_at": case((_hosts.c.probe_at > floor, _hosts.c.probe_at), else_=later),
    }
    _upsert(session, row, columns)
    if not was_failing:
        log.warning("host.failing", extra={"host": name.value, "error": str(error)})


def mark_answering(session: Session, name: HostName, now: datetime) -> bool:
    """Record a clear answer. Return whether it ended a failure; the caller commits."""
    host = failing(session, name)
    if host is None or host.failing_since is None:
        return False
    seconds = round((now - host.failing_since).total_seconds())
    host.failing_since, host.error = None, ""
    log.warning("host.answering_again", extra={"host": name.value, "seconds": seconds})
    return True


def claim_probe(session: Session, name: HostName, now: datetime) -> bool:
    """Return whether the caller may probe the service now; if so, nobody else may for PROBE_EVERY. Commits."""
    later = now + PROBE_EVERY
    row: dict[str, object] = {"name": name, "failing_since": None, "error": "", "probe_at": later}
    claimed = _upsert(session, row, {"probe_at": later}, only_if_due_at=now)
    session.commit()
    return claimed


def probe_soon(session: Session, now: datetime) -> None:
    """Cut short a longer pause that a service asked for: a person doesn't want to wait. The caller commits."""
    session.execute(
        update(Host).where(Host.failing_since.is_not(None), Host.probe_at > now + PROBE_EVERY).values(probe_at=now)
    )


def _pause(error: Throttled) -> timedelta:
    if error.retry_after is None:
        return PROBE_EVERY
    return min(max(timedelta(seconds=error.retry_after), SHORTEST_PAUSE), LONGEST_PAUSE)


def _upsert(
    session: Session, row: dict[str, object], columns: dict[str, object], *, only_if_due_at: datetime | None = None
) -> bool:
    """Insert the row, or set columns of the existing one if its probe is due. Return whether anything was written."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(_hosts) if dialect == "postgresql" else sqlite.insert(_hosts)
    condition = None if only_if_due_at is None else _hosts.c.probe_at <= only_if_due_at
    statement: Insert = insert.values(row).on_conflict_do_update(index_elements=["name"], set_=columns, where=condition)
    # The row count of an INSERT is unknown (-1) on PostgreSQL.
    return session.connection().execute(statement.returning(_hosts.c.name)).first() is not None
