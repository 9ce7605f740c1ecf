"""Enqueue the jobs that are due according to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clock import utc_now
from portal.current import redis, session, settings
from portal.fulfillment.due import Due, due, due_chores
from portal.queue import Call, JobName, wake

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.fulfillment.chores import ChoreName


def tick() -> None:
    now_due = due(session(), track_seconds=settings().track_seconds, now=utc_now())
    chores = due_chores(session(), utc_now())
    session().commit()
    wake(redis(), calls_for(now_due, chores))


def calls_for(now_due: Due, chores: Iterable[ChoreName] = ()) -> list[Call]:
    """Return a call for everything that is due; chores have jobs of the same name."""
    by_ids = (
        (JobName.POLL, now_due.polls),
        (JobName.SUBMIT, now_due.submits),
        (JobName.SETTLE, now_due.settles),
        (JobName.TRACK, now_due.tracks),
        (JobName.PRODUCTS, now_due.products),
        (JobName.DRY_RUN, now_due.dry_runs),
        (JobName.CREDENTIALS, now_due.credentials),
    )
    calls = [Call(name, tuple(ids)) for name, ids in by_ids if ids]
    calls += [Call(JobName[chore.name]) for chore in chores]
    return [*calls, Call(JobName.PROBE)] if now_due.probes else calls
