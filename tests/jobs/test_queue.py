"""Enqueued jobs have names that resolve, wait on the queue only once and are JSON that our workers read."""

from __future__ import annotations

import importlib
import json
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.utils import utcformat

from jobs.schedule import Schedule
from portal.clock import utc_now
from portal.queue import (
    FAILURE_TTL,
    IDS_PER_JOB,
    JOB_TIMEOUT,
    RESULT_TTL,
    Call,
    JobName,
    connect,
    health,
    is_unprotected,
    open_queue,
    wake,
    wake_if_possible,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        yield client


def _waiting(connection: Redis) -> list[str]:
    return sorted(job_id.rpartition("-")[0] for job_id in open_queue(connection).get_job_ids())


@pytest.mark.parametrize("name", JobName)
def test_job_name_resolves(name: JobName) -> None:
    module, _, function = name.value.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_waiting_job_is_not_enqueued_again(connection: Redis) -> None:
    calls = [Call(JobName.SUBMIT, (816,)), Call(JobName.SUBMIT, (817,)), Call(JobName.POLL, (1, 2))]
    assert wake(connection, calls) == 3
    assert wake(connection, [*calls, Call(JobName.TICK)]) == 1
    assert wake(connection, [Call(JobName.SUBMIT, (81,)), Call(JobName.POLL, (12,))]) == 2
    assert _waiting(connection) == ["poll-1-2", "poll-12", "submit-81", "submit-816", "submit-817", "tick"]


def test_store_that_waits_in_any_batch_is_not_enqueued_again(connection: Redis) -> None:
    """Batches shift with every tick: only the stores that wait in none of them are new."""
    assert wake(connection, [Call(JobName.POLL, (1, 2, 3))]) == 1
    assert wake(connection, [Call(JobName.POLL, (2, 3, 4))]) == 1
    assert wake(connection, [Call(JobName.POLL, (3,)), Call(JobName.POLL, (4, 1))]) == 0
    assert wake(connection, [Call(JobName.PRODUCTS, (1,))]) == 1
    assert _waiting(connection) == ["poll-1-2-3", "poll-4", "products-1"]


def test_stores_to_poll_share_jobs(connection: Redis) -> None:
    """A fork costs as much as several polls, so a job polls many stores, also if each was requested alone."""
    stores = range(1, 2 * IDS_PER_JOB + 2)
    assert wake(connection, [Call(JobName.POLL, (store,)) for store in stores]) == 3
    assert [len(job.split("-")) - 1 for job in _waiting(connection)] == [IDS_PER_JOB, IDS_PER_JOB, 1]


@pytest.mark.parametrize(("merchants", "jobs_"), [(1, 1), (8, 8), (9, 5), (80, 8), (160, 8), (161, 9), (1000, 50)])
def test_merchants_share_jobs_if_they_are_many(connection: Redis, merchants: int, jobs_: int) -> None:
    """Few are spread, so that many workers share their work; many share jobs, because a job costs a fork."""
    assert wake(connection, [Call(JobName.SUBMIT, (1 + nth,)) for nth in range(merchants)]) == jobs_
    ids = [int(one) for job in _waiting(connection) for one in job.split("-")[1:]]
    assert sorted(ids) == list(range(1, merchants + 1))


def test_short_jobs_go_first(connection: Redis) -> None:
    """A tick doesn't wait behind the work of all merchants: nothing else would be started meanwhile."""
    wake(connection, [Call(JobName.POLL, (1,)), Call(JobName.PURGE)])
    wake(connection, [Call(JobName.TICK)])
    wake(connection, [Call(JobName.PROBE), Call(JobName.SUBMIT, (816,))])
    in_order = [job_id.rpartition("-")[0] for job_id in open_queue(connection).get_job_ids()]
    assert in_order == ["probe", "tick", "poll-1", "purge", "submit-816"]


def test_short_job_that_is_still_running_doesnt_go_first(connection: Redis) -> None:
    """A tick that took longer than the time between two ticks would leave no time for anything else."""
    wake(connection, [Call(JobName.POLL, (1,))])
    wake(connection, [Call(JobName.TICK)])
    queue = open_queue(connection)
    taken = Queue.dequeue_any([queue], None, connection=connection, serializer=queue.serializer)
    assert taken is not None
    job = taken[0]
    with connection.pipeline() as pipeline:
        Execution.create(job, ttl=60, pipeline=pipeline)
        pipeline.execute()
    wake(connection, [Call(JobName.TICK), Call(JobName.PROBE)])
    assert [job_id.rpartition("-")[0] for job_id in queue.get_job_ids()] == ["probe", "poll-1", "tick"]


def test_health_finds_the_job_that_waits_longest(connection: Redis) -> None:
    """Also behind a tick that was just enqueued at the front: a stuck queue must show."""
    wake(connection, [Call(JobName.POLL, (1,))])
    (job_id,) = open_queue(connection).get_job_ids()
    an_hour_ago = utc_now() - timedelta(hours=1)
    connection.hset(Job.key_for(job_id), "enqueued_at", utcformat(an_hour_ago))
    wake(connection, [Call(JobName.TICK)])
    assert abs(health(connection)["waits_since"] - an_hour_ago) < timedelta(seconds=1)


def test_duplicate_calls_become_one_job(connection: Redis) -> None:
    assert wake(connection, [Call(JobName.TICK), Call(JobName.TICK)]) == 1
    assert _waiting(connection) == ["tick"]


def test_running_job_does_not_count_as_waiting(connection: Redis) -> None:
    """Its worker may have died, so another one is enqueued and the lease decides which one works."""
    wake(connection, [Call(JobName.SUBMIT, (816,))])
    queue = open_queue(connection)
    taken = Queue.dequeue_any([queue], None, connection=connection, serializer=queue.serializer)
    assert taken is not None
    assert wake(connection, [Call(JobName.SUBMIT, (816,))]) == 1


def test_job_is_json_with_time_limits(connection: Redis) -> None:
    wake(connection, [Call(JobName.POLL, (1, 2))])
    queue = open_queue(connection)
    (job_id,) = queue.get_job_ids()
    job = Job.fetch(job_id, connection=connection, serializer=queue.serializer)
    assert (job.func_name, job.args) == ("jobs.poll.poll", [[1, 2]])
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (JOB_TIMEOUT, RESULT_TTL, FAILURE_TTL)
    assert job.retries_left is None
    raw = connection.hget(job.key, "data")
    assert isinstance(raw, bytes)
    assert json.loads(zlib.decompress(raw))[0] == "jobs.poll.poll"


def test_wake_if_possible_only_logs_that_redis_is_down(caplog: pytest.LogCaptureFixture) -> None:
    with connect("redis://127.0.0.1:1/0") as unreachable:
        wake_if_possible(unreachable, [Call(JobName.TICK)])
    assert "queue.wake_failed" in caplog.text


@pytest.mark.parametrize(
    ("url", "unprotected"),
    [
        ("redis://redis.example/0", True),
        ("rediss://10.0.0.5:6380", True),
        ("redis://user@10.0.0.5", True),
        ("redis://:secret@10.0.0.5", False),
        ("redis://10.0.0.5?password=secret", False),
        ("redis://127.0.0.1:6379/0", False),
        ("redis://[::1]:6379", False),
        ("redis://localhost", False),
        ("redis://", False),
        ("unix:///run/redis.sock", False),
    ],
)
def test_redis_on_another_machine_needs_a_password(url: str, unprotected: bool) -> None:
    assert is_unprotected(url) is unprotected


def test_two_schedules_enqueue_each_job_once(redis_url: str, connection: Redis) -> None:
    first, second = Schedule(connect(redis_url)), Schedule(connect(redis_url))
    for schedule in (first, second, first, second):
        schedule.enqueue_jobs()
    assert _waiting(connection) == ["tick"]
    assert all(not job.should_run() for job in (*first.get_jobs(), *second.get_jobs()))


def test_schedule_continues_without_redis() -> None:
    schedule = Schedule(connect("redis://127.0.0.1:1/0"))
    assert len(schedule.enqueue_jobs()) == 1


def test_health_counts_a_waiting_job_without_workers(connection: Redis) -> None:
    wake(connection, [Call(JobName.TICK)])
    found = health(connection)
    assert (found["workers"], found["schedules"], found["waiting"]) == (0, 0, 1)
    assert timedelta(0) <= utc_now() - found["waits_since"] < timedelta(minutes=1)
    assert StartedJobRegistry(queue=open_queue(connection)).count == 0
