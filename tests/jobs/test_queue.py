"""What is put on the queue: names that resolve, no job twice among those that wait, JSON that our workers read."""

from __future__ import annotations

import importlib
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from rq import Queue
from rq.job import Job
from rq.registry import StartedJobRegistry

import jobs.schedule
from portal.queue import FAILURE_TTL, JOB_TIMEOUT, RESULT_TTL, Call, JobName, connect, health, open_queue, wake
from portal.queue import wake_if_possible as wake_carefully

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
def test_a_job_name_resolves(name: JobName) -> None:
    module, _, function = name.value.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_schedule_knows_its_jobs_by_the_same_names() -> None:
    names = {f"{job.__module__}.{job.__name__}" for job in jobs.schedule.EVERY}
    assert names == {JobName.TICK, JobName.PURGE}


def test_a_job_that_waits_is_not_put_twice(connection: Redis) -> None:
    calls = [Call(JobName.SUBMIT, (816,)), Call(JobName.SUBMIT, (817,)), Call(JobName.POLL, (1, 2))]
    assert wake(connection, calls) == 3
    assert wake(connection, [*calls, Call(JobName.TICK)]) == 1
    assert wake(connection, [Call(JobName.SUBMIT, (81,)), Call(JobName.POLL, (1,))]) == 2
    assert _waiting(connection) == ["poll-1", "poll-1-2", "submit-81", "submit-816", "submit-817", "tick"]


def test_the_same_call_twice_in_one_go_is_one_job(connection: Redis) -> None:
    assert wake(connection, [Call(JobName.TICK), Call(JobName.TICK)]) == 1
    assert _waiting(connection) == ["tick"]


def test_a_job_that_runs_does_not_stand_for_another(connection: Redis) -> None:
    """Its worker may have died: the next one is put, and the lease decides."""
    wake(connection, [Call(JobName.SUBMIT, (816,))])
    queue = open_queue(connection)
    taken = Queue.dequeue_any([queue], None, connection=connection, serializer=queue.serializer)
    assert taken is not None
    assert wake(connection, [Call(JobName.SUBMIT, (816,))]) == 1


def test_a_job_is_json_with_an_end(connection: Redis) -> None:
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


def test_without_redis_whoever_can_do_without_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with connect("redis://127.0.0.1:1/0") as nobody:
        wake_carefully(nobody, [Call(JobName.TICK)])
    assert "queue.wake_failed" in caplog.text


def test_two_schedules_at_once_put_each_job_once(redis_url: str, connection: Redis) -> None:
    first, second = jobs.schedule.build(redis_url), jobs.schedule.build(redis_url)
    for schedule in (first, second, first, second):
        schedule.enqueue_jobs()
    assert _waiting(connection) == ["purge", "tick"]
    assert all(not job.should_run() for job in (*first.get_jobs(), *second.get_jobs()))


def test_a_schedule_goes_on_without_redis() -> None:
    schedule = jobs.schedule.build("redis://127.0.0.1:1/0")
    assert len(schedule.enqueue_jobs()) == 2


def test_health_of_an_empty_queue(connection: Redis) -> None:
    wake(connection, [Call(JobName.TICK)])
    assert health(connection) == {"workers": 0, "schedules": 0, "waiting": 1}
    assert StartedJobRegistry(queue=open_queue(connection)).count == 0
