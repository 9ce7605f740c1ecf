"""The RQ queue and the jobs it takes. It only wakes workers; the database says what is due."""

from __future__ import annotations

import logging
import math
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry
from rq import Queue, cron_scheduler_registry
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import utcparse
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from portal.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Set
    from datetime import datetime

log = logging.getLogger(__name__)

QUEUE = "portal"
JOB_TIMEOUT = 900
RESULT_TTL = 60
FAILURE_TTL = 86_400
"""Seconds, all three."""
ANSWER_SECONDS = 1.0
"""Seconds that a page, a health check or a job's wake waits for Redis to connect or to answer."""
HANG_SECONDS = 5.0
"""Seconds for which a process doesn't ask a Redis again that hung."""
ALIVE_SECONDS = 50
"""Seconds for which a worker or schedule counts as running after its last heartbeat. An idle worker sends one every 30
seconds, a busy one every 10, a schedule every 5."""
IDS_PER_JOB = 20
"""Stores or merchants that share a job, because a fork costs as much as the work for several of them."""
JOBS_PER_WAKE = 8
"""Jobs over which few merchants are spread, so that many workers share their work. Stores are polled together."""
NO_ID = ""
"""Stands for the ids of a job that is for none."""
OLDEST_AMONG = 50
"""Jobs at the front of the queue among which the one that waits longest is looked for. Some are enqueued there."""


class JobName(StrEnum):
    TICK = "jobs.tick.tick"
    POLL = "jobs.poll.poll"
    SUBMIT = "jobs.submit.submit"
    SETTLE = "jobs.settle.settle"
    TRACK = "jobs.track.track"
    PRODUCTS = "jobs.products.products"
    DRY_RUN = "jobs.dry_run.dry_run"
    PURGE = "jobs.purge.purge"
    PROBE = "jobs.probe.probe"
    CREDENTIALS = "jobs.credentials.credentials"
    INCIDENTS = "jobs.incidents.incidents"
    MORNING = "jobs.morning.morning"
    MESSAGES = "jobs.messages.messages"
    SEARCH = "jobs.search.search"
    CHECKS = "jobs.checks.checks"

    @property
    def word(self) -> str:
        """Return the name as the ids of jobs have it."""
        return self.rsplit(".", 1)[1]


AT_FRONT = frozenset({JobName.TICK, JobName.PROBE, JobName.INCIDENTS, JobName.MESSAGES})
"""Short jobs that don't wait behind the work of all merchants: without them, nothing else starts, ends, or is told.

One that is enqueued while another of its kind is running goes to the back: a tick that took longer than the time
between two ticks would otherwise leave no time for anything else.
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A job to enqueue: its name and the ids it is for."""

    name: JobName
    ids: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return "-".join((self.name.word, *map(str, self.ids)))


def connect(redis_url: str) -> Redis:
    """Return a Redis client for a worker or schedule, which connects when it is first used.

    Its timeouts are long: a worker waits up to 30 seconds for a job. Everything else uses briefly().
    """
    return Redis.from_url(redis_url, socket_connect_timeout=5, socket_timeout=30, health_check_interval=15)


def connect_briefly(redis_url: str) -> Redis:
    """Return a Redis client that waits a second at most, for callers that someone is waiting for."""
    return Redis.from_url(redis_url, **timeouts(ANSWER_SECONDS))


_hung_until: dict[str, float] = {}
"""Until when, in monotonic time, each Redis that hung isn't asked again."""


@contextmanager
def briefly(redis_url: str) -> Iterator[Redis]:
    """Connect with connect_briefly() for the block, and raise RedisError at once if Redis hung a moment ago.

    Without that, a Redis that hangs would cost every page a second, and busy pages would fill all threads.
    """
    if time.monotonic() < _hung_until.get(redis_url, 0.0):
        raise RedisTimeout("It didn't answer a few seconds ago.")
    with connect_briefly(redis_url) as connection:
        try:
            yield connection
        except RedisTimeout:
            _hung_until[redis_url] = time.monotonic() + HANG_SECONDS
            raise


def timeouts(seconds: float) -> dict[str, Any]:
    """Return the options of a Redis client that gives up soon. Retries would multiply the wait."""
    return {"socket_connect_timeout": seconds, "socket_timeout": seconds, "retry": Retry(NoBackoff(), 0)}


def is_unprotected(redis_url: str) -> bool:
    """Return whether other machines can reach this Redis without a password, as far as the URL tells."""
    options = parse_url(redis_url)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    host = options.get("host") or "localhost"
    is_local = "path" in options or host == "localhost" or host.startswith("127.") or host == "::1"
    return not is_local and not options.get("password")


def open_queue(connection: Redis, job_class: type[Job] = Job) -> Queue:
    return Queue(
        QUEUE, connection=connection, serializer=JSONSerializer, default_timeout=JOB_TIMEOUT, job_class=job_class
    )


def wake(connection: Redis, calls: Iterable[Call]) -> int:
    """Enqueue the work that isn't waiting already, and return the number of jobs. Call it after the commit.

    What counts is each store or merchant, not the batch that it is in: batches change with every tick, and a backlog of
    them would grow faster than workers finish it. A job that is running, or whose worker died, doesn't count as
    waiting. Two copies of a job are harmless: the database says whether its work is still due, and the lease decides
    which one does it. Raises RedisError.
    """
    queue = open_queue(connection)
    waiting: dict[str, set[str]] = {}
    for job_id in connection.lrange(queue.key, 0, -1):
        name, ids = _read(job_id)
        waiting.setdefault(name, set()).update(ids)
    wanted: dict[JobName, dict[int, None]] = {}
    for call in calls:
        wanted.setdefault(call.name, {}).update(dict.fromkeys(call.ids))
    fresh = [
        batch for name, ids in wanted.items() for batch in _batches(name, ids, waiting.get(name.word, frozenset()))
    ]
    if fresh:
        running = _running(queue) if any(call.name in AT_FRONT for call in fresh) else frozenset()
        queue.enqueue_many(
            [
                Queue.prepare_data(
                    call.name.value,
                    args=[list(call.ids)] if call.ids else [],
                    job_id=f"{call.key}-{uuid.uuid4().hex[:12]}",
                    timeout=JOB_TIMEOUT,
                    result_ttl=RESULT_TTL,
                    failure_ttl=FAILURE_TTL,
                    at_front=call.name in AT_FRONT and call.key not in running,
                )
                for call in fresh
            ]
        )
    return len(fresh)


def _running(queue: Queue) -> frozenset[str]:
    """Return the keys of the running jobs that are for no ids, such as the tick."""
    entries = cast("list[bytes]", queue.connection.zrange(queue.started_job_registry.key, 0, -1))
    return frozenset(name for entry in entries for name, ids in [_read(entry.partition(b":")[0])] if ids == [NO_ID])


def _read(job_id: bytes | str) -> tuple[str, list[str]]:
    """Return the name and the ids that a job stands for, NO_ID if it is for none. Anything may be in Redis."""
    text = job_id if isinstance(job_id, str) else job_id.decode(errors="replace")
    name, *ids = text.rpartition("-")[0].split("-")
    return name, ids or [NO_ID]


def _batches(name: JobName, ids: Collection[int], waiting: Set[str]) -> list[Call]:
    """Return those that aren't waiting as jobs for as many ids as one job takes."""
    if not ids:
        return [] if NO_ID in waiting else [Call(name)]
    fresh = [one for one in ids if str(one) not in waiting]
    size = IDS_PER_JOB if name is JobName.POLL else min(IDS_PER_JOB, math.ceil(len(fresh) / JOBS_PER_WAKE))
    return [Call(name, tuple(fresh[start : start + size])) for start in range(0, len(fresh), size or 1)]


def wake_if_possible(connection: Redis, calls: Iterable[Call]) -> None:
    """Like wake(), but only log when Redis is down: the next tick finds the work in the database."""
    try:
        wake(connection, calls)
    except RedisError as error:
        log.warning("queue.wake_failed", extra={"error": str(error)})


def health(connection: Redis) -> dict[str, Any]:
    """Return the number of live workers, live schedules and waiting jobs, and since when one of the next ones waits.

    Raises RedisError.

    RQ keeps a killed worker registered for minutes, so what counts is the last heartbeat. Clocks must be in sync.
    """
    alive_since = utc_now() - timedelta(seconds=ALIVE_SECONDS)
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.smembers(WORKERS_BY_QUEUE_KEY % QUEUE)
        pipeline.zcount(cron_scheduler_registry.get_registry_key(), alive_since.timestamp(), "+inf")
        pipeline.llen(open_queue(connection).key)
        pipeline.lrange(open_queue(connection).key, 0, OLDEST_AMONG - 1)
        workers, schedules, waiting, next_jobs = pipeline.execute()
        for job_id in next_jobs:
            pipeline.hget(Job.key_for(job_id.decode(errors="replace")), "enqueued_at")
        for key in workers:
            pipeline.hget(key, "last_heartbeat")
        times = [_time(stored) for stored in pipeline.execute(raise_on_error=False)]
    waits_since = min((at for at in times[: len(next_jobs)] if at is not None), default=None)
    alive = sum(at is not None and at >= alive_since for at in times[len(next_jobs) :])
    return {"workers": alive, "schedules": schedules, "waiting": waiting, "waits_since": waits_since}


def _time(stored: object) -> datetime | None:
    """Return a time as RQ writes it, or None if it is something else. Anything may be in Redis."""
    try:
        return utcparse(stored.decode()) if isinstance(stored, bytes) else None
    except ValueError:
        return None
