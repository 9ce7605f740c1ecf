"""The RQ queue and the jobs it takes. It only wakes workers; the database says what is due."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.cron import CronScheduler
from rq.serializers import JSONSerializer

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

QUEUE = "portal"
JOB_TIMEOUT = 900
RESULT_TTL = 60
FAILURE_TTL = 86_400
"""Seconds, all three."""
STORES_PER_POLL = 20
"""Stores polled by one job, because a fork costs as much as several idle polls."""


class JobName(StrEnum):
    TICK = "jobs.tick.tick"
    POLL = "jobs.poll.poll"
    SUBMIT = "jobs.submit.submit"
    SETTLE = "jobs.settle.settle"
    TRACK = "jobs.track.track"
    PRODUCTS = "jobs.products.products"
    DRY_RUN = "jobs.dry_run.dry_run"
    PURGE = "jobs.purge.purge"


@dataclass(frozen=True, slots=True)
class Call:
    """A job to enqueue: its name and the ids it is for."""

    name: JobName
    ids: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return "-".join((self.name.rsplit(".", 1)[1], *map(str, self.ids)))


def connect(redis_url: str) -> Redis:
    """Return a Redis client with timeouts, which connects when it is first used."""
    return Redis.from_url(redis_url, socket_connect_timeout=5, socket_timeout=30, health_check_interval=15)


def open_queue(connection: Redis) -> Queue:
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer, default_timeout=JOB_TIMEOUT)


def wake(connection: Redis, calls: Iterable[Call]) -> int:
    """Enqueue the jobs that aren't waiting already, and return how many that was. Call it after the commit.

    A job that is running, or whose worker died, doesn't count as waiting. Two copies of a job are harmless: the lease
    in the database decides which one does the work. Raises RedisError.
    """
    queue = open_queue(connection)
    waiting = {job_id.rsplit("-", 1)[0] for job_id in queue.get_job_ids()}
    fresh = {call.key: call for call in calls if call.key not in waiting}
    if fresh:
        queue.enqueue_many(
            [
                Queue.prepare_data(
                    call.name.value,
                    args=[list(call.ids)] if call.ids else [],
                    job_id=f"{key}-{uuid.uuid4().hex[:12]}",
                    timeout=JOB_TIMEOUT,
                    result_ttl=RESULT_TTL,
                    failure_ttl=FAILURE_TTL,
                )
                for key, call in fresh.items()
            ]
        )
    return len(fresh)


def wake_if_possible(connection: Redis, calls: Iterable[Call]) -> None:
    """Like wake(), but only log when Redis is down: the next tick finds the work in the database."""
    try:
        wake(connection, calls)
    except RedisError as error:
        log.warning("queue.wake_failed", extra={"error": str(error)})


def health(connection: Redis) -> dict[str, Any]:
    """Return the number of live workers, live schedules and waiting jobs. Raises RedisError."""
    return {
        "workers": Worker.count(queue=open_queue(connection)),
        "schedules": len(CronScheduler.all(connection)),
        "waiting": open_queue(connection).count,
    }
