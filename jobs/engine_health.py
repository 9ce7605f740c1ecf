"""Read from Redis how the engine is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rq.utils import utcparse
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from portal.incidents.detect.engine import EngineHealth
from portal.queue import ALIVE_SECONDS, QUEUE, briefly, health

if TYPE_CHECKING:
    from datetime import datetime

    from redis import Redis

MAX_ERROR = 200
"""Characters of an error that are kept."""


def read_health(redis_url: str, *, working_since: datetime | None, now: datetime) -> EngineHealth:
    """Return what Redis shows, within a few seconds even if it hangs. Never raises because of Redis."""
    try:
        with briefly(redis_url) as connection:
            counts = health(connection)
            return EngineHealth(
                workers=counts["workers"],
                schedules=counts["schedules"],
                worker_lost_at=_worker_lost_at(connection, now),
                waiting=counts["waiting"],
                next_job_waits_since=counts["waits_since"],
                working_since=working_since,
            )
    except RedisError as error:
        return EngineHealth(redis_problem=ascii(str(error) or type(error).__name__)[1:-1][:MAX_ERROR])


def _worker_lost_at(connection: Redis, now: datetime) -> datetime | None:
    """Return the latest heartbeat of a registered worker that no longer counts as running."""
    with connection.pipeline(transaction=False) as pipeline:
        for key in connection.smembers(WORKERS_BY_QUEUE_KEY % QUEUE):
            pipeline.hget(key, "last_heartbeat")
        heartbeats = map(_time, pipeline.execute(raise_on_error=False))
    lost_before = now - timedelta(seconds=ALIVE_SECONDS)
    return max((at for at in heartbeats if at is not None and at < lost_before), default=None)


def _time(stored: object) -> datetime | None:
    """Return a time as RQ writes it. Anything may be in Redis."""
    try:
        return utcparse(stored.decode()) if isinstance(stored, bytes) else None
    except ValueError:
        return None
