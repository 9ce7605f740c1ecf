"""What is wrong with the engine itself: Redis, the workers, the schedule, the polls, the queue, and the watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.fulfillment import hosts
from portal.incidents.finding import Finding
from portal.models import Chore, HostName, IncidentKind, Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

ENGINE_KINDS = frozenset({
    IncidentKind.NO_REDIS, IncidentKind.NO_WORKER, IncidentKind.NO_SCHEDULE, IncidentKind.NO_POLL,
    IncidentKind.QUEUE_STUCK,
})  # fmt: skip
"""What the watch finds. A watch that isn't there is found by the workers."""
JOB_WAITS = timedelta(minutes=3)
"""The queue isn't draining if its next job has waited for longer."""
NO_POLL_AFTER = timedelta(minutes=3)
"""How late the next poll of any store must be. A poll of another store on time means that polls happen."""
HEARTBEAT = "watch"
"""The name of the watch's row among the chores. Its ``due_at`` is when the next heartbeat is late."""
WATCH_LATE = timedelta(seconds=60)
"""The watch sends a heartbeat every 15 seconds, but it may have to wait for a mail server first."""

_chores = cast("Table", Chore.__table__)


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """What the watch has read from Redis."""

    redis_problem: str = ""
    """Why Redis can't be used; empty if it answers. Without it, nothing else here is known."""
    workers: int = 0
    schedules: int = 0
    worker_lost_at: datetime | None = None
    """The last heartbeat of a worker that sends none any more, if Redis still has it."""
    waiting: int = 0
    next_job_waits_since: datetime | None = None
    working_since: datetime | None = None
    """Since when this watch has seen everything that polls need. A shorter time proves nothing about missing polls."""


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What is wrong, and which kinds could be judged: without Redis, nobody knows whether a worker runs."""

    findings: Sequence[Finding]
    judged: frozenset[IncidentKind]
    can_poll: bool
    """Whether stores should be polled now, and everything is there that polls need."""


def inspect(session: Session, settings: Settings, health: EngineHealth, now: datetime) -> EngineReport:
    """Return what is wrong with the engine. One cause is one finding: without a worker, polls are missing too."""
    if health.redis_problem:
        return EngineReport([_no_redis(health, now)], frozenset({IncidentKind.NO_REDIS}), can_poll=False)
    findings = [
        *_fewer(IncidentKind.NO_WORKER, health.workers, settings.workers, health.worker_lost_at or now),
        *_fewer(IncidentKind.NO_SCHEDULE, health.schedules, settings.schedules, now),
    ]
    judged = {IncidentKind.NO_REDIS, IncidentKind.NO_WORKER, IncidentKind.NO_SCHEDULE}
    is_running = health.workers > 0 and health.schedules > 0
    is_stuck = health.next_job_waits_since is not None and health.next_job_waits_since + JOB_WAITS <= now
    if is_running or not is_stuck:
        judged.add(IncidentKind.QUEUE_STUCK)
        findings += [_queue_stuck(health, settings, now)] if is_stuck else []
    limit = timedelta(seconds=settings.poll_seconds) + NO_POLL_AFTER
    last_polled = _last_polled(session)
    is_late = last_polled is not None and last_polled + limit <= now
    has_worked = health.working_since is not None and health.working_since + limit <= now
    if not is_late or (is_running and not is_stuck and has_worked):
        judged.add(IncidentKind.NO_POLL)
        findings += [_no_poll(last_polled)] if last_polled is not None and is_late else []
    return EngineReport(findings, frozenset(judged), can_poll=is_running and last_polled is not None)


def send_heartbeat(session: Session, now: datetime) -> None:
    """Record that a watch is running. Commits."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    start = postgresql.insert(_chores) if is_postgresql else sqlite.insert(_chores)
    row = {"name": HEARTBEAT, "due_at": now + WATCH_LATE}
    session.execute(start.values(row).on_conflict_do_update(index_elements=["name"], set_=row))
    session.commit()


def watch_findings(session: Session, now: datetime) -> Sequence[Finding]:
    """Return that no watch is running, if one has ever run and its heartbeat is late."""
    late_since = session.scalar(select(Chore.due_at).where(Chore.name == HEARTBEAT))
    if late_since is None or late_since > now:
        return []
    return [
        Finding(
            kind=IncidentKind.NO_WATCH,
            merchant_id=None,
            cause="",
            title="No watch is running",
            explanation=(
                "Orders are synced and sent as usual. But without the watch, nobody is told when Redis, the workers or "
                "the schedule stop. Start it again with: python -m jobs.watch"
            ),
            since=late_since - WATCH_LATE,
        )
    ]


def _no_redis(health: EngineHealth, now: datetime) -> Finding:
    return Finding(
        kind=IncidentKind.NO_REDIS,
        merchant_id=None,
        cause="",
        title="Redis can't be reached",
        explanation=(
            "Until it answers, no store is synced and no order is sent. Nothing is lost: waiting work continues when "
            f"Redis is back. Start Redis, or check REDIS_URL. The error: {health.redis_problem}"
        ),
        since=now,
    )


_PROGRAMS = {
    IncidentKind.NO_WORKER: ("worker", "python -m jobs.worker", "WORKERS", "no store is synced and no order is sent"),
    IncidentKind.NO_SCHEDULE: ("schedule", "python -m jobs.schedule", "SCHEDULES", "nothing new starts"),
}


def _fewer(kind: IncidentKind, running: int, expected: int, since: datetime) -> list[Finding]:
    """Return that none, or fewer than expected, are running."""
    if running >= expected:
        return []
    noun, command, setting, effect = _PROGRAMS[kind]
    if running:
        title = f"{running} of {expected} {noun}s {'is' if running == 1 else 'are'} running"
        effect = "Work goes on, but slower if there is much of it"
        remedy = f"Look at the end of its log, and start another one with: {command}. Or change {setting}."
    else:
        title = f"No {noun} is running"
        effect = f"Until one runs, {effect}. Nothing is lost: waiting work continues as soon as one is running"
        remedy = f"Look at the end of its log, and start it again with: {command}"
    return [Finding(kind, None, "", title=title, explanation=f"{effect}. {remedy}", since=since)]


def _queue_stuck(health: EngineHealth, settings: Settings, now: datetime) -> Finding:
    since = health.next_job_waits_since or now
    return Finding(
        kind=IncidentKind.QUEUE_STUCK,
        merchant_id=None,
        cause="",
        title=f"No job has been started since {_time(since)}",
        explanation=(
            f"{health.waiting} jobs wait in the queue, so orders may not be synced or sent. "
            f"{health.workers} of {settings.workers} workers {'is' if health.workers == 1 else 'are'} running, but "
            "none takes the next job. "
            "If a worker hangs, stop it: its work is taken up again. If all are busy with long jobs, run more workers."
        ),
        since=since,
    )


def _last_polled(session: Session) -> datetime | None:
    """Return when any store was last polled, or connected if none was; None if no store should be polled now.

    A store whose polls fail is told about on its own.
    """
    is_expected = (Store.next_poll_at.is_not(None), Store.poll_failures == 0)
    first_connected: datetime | None = session.scalar(
        select(func.min(Store.connected_at)).where(*is_expected, hosts.is_answering_sql(HostName.BIG_CARTEL))
    )
    last_polled: datetime | None = session.scalar(select(func.max(Store.last_polled_at)))
    session.commit()
    return first_connected and (last_polled or first_connected)


def _no_poll(since: datetime) -> Finding:
    return Finding(
        kind=IncidentKind.NO_POLL,
        merchant_id=None,
        cause="",
        title=f"No store has been synced since {_time(since)}",
        explanation=(
            "A worker and the schedule are running, but no store is synced, so new orders don't arrive. Look at the "
            "worker's log for errors. If a worker hangs, stop it and start it again: its work is taken up again."
        ),
        since=since,
    )


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
