"""Enqueue the jobs that are due according to the database."""

from __future__ import annotations

from portal.clock import utc_now
from portal.current import redis, session, settings
from portal.fulfillment.due import due, due_chores
from portal.queue import Call, JobName, wake


def tick() -> None:
    now_due = due(session(), track_seconds=settings().track_seconds, now=utc_now())
    calls = [Call(JobName.POLL, (store,)) for store in now_due.polls]
    calls += [Call(JobName.SUBMIT, (merchant,)) for merchant in now_due.submits]
    calls += [Call(JobName.SETTLE, (merchant,)) for merchant in now_due.settles]
    calls += [Call(JobName.TRACK, (merchant,)) for merchant in now_due.tracks]
    calls += [Call(JobName.PRODUCTS, (store,)) for store in now_due.products]
    calls += [Call(JobName.DRY_RUN, (store,)) for store in now_due.dry_runs]
    calls += [Call(JobName[chore.name]) for chore in due_chores(session(), utc_now())]
    calls += [Call(JobName.CREDENTIALS, (merchant,)) for merchant in now_due.credentials]
    calls += [Call(JobName.PROBE)] if now_due.probes else []
    session().commit()
    wake(redis(), calls)
