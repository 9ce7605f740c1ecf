"""Whoever writes to Redis gets nothing run but the portal's own jobs, and doesn't keep those from running."""

from __future__ import annotations

import json
import pickle
import signal
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rq.job import Job
from rq.registry import StartedJobRegistry

from jobs.stored import MAX_BYTES, MAX_IDS, WITH_IDS, WITHOUT_IDS, RefusedError, read_call
from jobs.worker import build
from portal import create_app
from portal.models.base import MAX_ID
from portal.queue import Call, JobName, connect, health, open_queue, wake
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from jobs.worker import PortalWorker

TICK, POLL = JobName.TICK.value, JobName.POLL.value
MARK = "tests.jobs.test_refused.leave_mark"
CALLBACKS = [f"{when}_callback_name" for when in ("success", "failure", "stopped")]
marker = Path()


def leave_mark(*_: object) -> None:
    marker.touch()


def packed(*parts: object) -> bytes:
    return zlib.compress(json.dumps(parts).encode())


@pytest.fixture(autouse=True)
def no_mark(tmp_path: Path) -> Iterator[None]:
    """Check that no test ran what it smuggled in."""
    global marker  # noqa: PLW0603 - RQ finds the function by its name only
    marker = tmp_path / "marker"
    yield
    assert not marker.exists()


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def worker(redis_url: str, sqlite_url: str) -> Iterator[PortalWorker]:
    """A worker in this process, which forks a work horse for each job."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield build(create_app(settings_for(sqlite_url, REDIS_URL=redis_url)), redis_url)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def smuggle(connection: Redis, **fields: str | bytes) -> None:
    connection.hset(Job.key_for("smuggled"), "status", "queued")
    for name, value in fields.items():
        connection.hset(Job.key_for("smuggled"), name, value)
    connection.rpush(open_queue(connection).key, "smuggled")


def run_after_it(worker: PortalWorker, connection: Redis) -> None:
    """Let the worker empty the queue, to which a good job is added, and check that the good one ran."""
    wake(connection, [Call(JobName.TICK)])
    (tick,) = connection.keys(Job.key_for("tick-*"))
    worker.work(burst=True, logging_level="WARNING")
    assert connection.hget(tick, "status") == b"finished"
    assert open_queue(connection).count == 0


DATA: dict[str, Callable[[], bytes]] = {
    "a shell command": lambda: packed("os.system", None, [f"touch {marker}"], {}),
    "an expression": lambda: packed("builtins.eval", None, [f"open({str(marker)!r}, 'w')"], {}),
    "a function of this project": lambda: packed(MARK, None, [], {}),
    "a method of an object": lambda: packed("touch", str(marker), [], {}),
    "keyword arguments": lambda: packed(TICK, None, [], {"store_ids": [1]}),
    "a pickle": lambda: zlib.compress(pickle.dumps((MARK, None, (), {}))),
    "not compressed": lambda: json.dumps([MARK, None, [], {}]).encode(),
    "nested too deeply": lambda: zlib.compress(b"[" * 16_000),
    "a decompression bomb": lambda: zlib.compress(b" " * 100_000_000),
    "a million ids": lambda: packed(POLL, None, [list(range(1, 1_000_000))], {}),
    "large": lambda: b"x" * 10_000_000,
    "empty": lambda: b"",
}


@pytest.mark.parametrize("kind", DATA)
def test_foreign_job_is_refused_and_the_next_one_runs(
    kind: str, worker: PortalWorker, connection: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    smuggle(connection, data=DATA[kind]())
    run_after_it(worker, connection)
    (refused,) = [record for record in caplog.records if record.message == "worker.job_refused"]
    assert vars(refused)["job"] == "smuggled"
    assert "touch" not in str(vars(refused))
    assert not connection.exists(Job.key_for("smuggled"))


@pytest.mark.parametrize("name", [TICK, POLL])
@pytest.mark.parametrize("callback", CALLBACKS)
def test_callback_is_never_called(name: str, callback: str, worker: PortalWorker, connection: Redis) -> None:
    """The first job succeeds; the other one would fail, because it has no ids."""
    smuggle(connection, data=packed(name, None, [], {}), **{callback: MARK})
    run_after_it(worker, connection)


def test_failure_callback_of_an_abandoned_job_is_not_called(worker: PortalWorker, connection: Redis) -> None:
    """RQ calls it in the worker itself, while it cleans up after dead workers."""
    smuggle(connection, data=packed(TICK, None, [], {}), status="started", failure_callback_name=MARK)
    connection.delete(open_queue(connection).key)
    connection.zadd(StartedJobRegistry(queue=open_queue(connection)).key, {"smuggled:execution": 1})
    run_after_it(worker, connection)


@pytest.mark.parametrize(
    "field",
    ["webhooks", "dependency_ids", "retries_left", "repeats_left", "rate_limit_key", "group_id", "meta", "result", "x"],
)
def test_field_that_the_portal_does_not_write_is_refused(field: str) -> None:
    with pytest.raises(RefusedError, match="other fields"):
        read_call({"data": packed(TICK, None, [], {}), field: b"1"})


@pytest.mark.parametrize("job_id", [b"../x", b"a b", b"a\nb", b"", b"\xff\xfe", "jöb".encode(), b"a" * 1_000_000])
def test_invalid_id_is_skipped(job_id: bytes, worker: PortalWorker, connection: Redis) -> None:
    connection.rpush(open_queue(connection).key, job_id)
    run_after_it(worker, connection)


@pytest.mark.filterwarnings("ignore:Composite key:DeprecationWarning")
def test_garbage_in_the_lists_of_rq_does_not_stop_the_worker(worker: PortalWorker, connection: Redis) -> None:
    connection.zadd(StartedJobRegistry(queue=open_queue(connection)).key, {b"\xff": 1, b"a": 1, b"a:b:c": 1})
    connection.rpush(open_queue(connection).intermediate_queue_key, b"\xff", b"a b", "missing")
    connection.set(Job.key_for("text"), "not a hash")
    connection.rpush(open_queue(connection).key, "text", "missing")
    smuggle(connection, data=packed(TICK, None, [], {}), status="no such status")
    run_after_it(worker, connection)


def test_redis_cannot_suspend_the_worker(worker: PortalWorker, connection: Redis) -> None:
    connection.set("rq:suspended", 1)
    run_after_it(worker, connection)


def test_limits_in_redis_do_not_count(connection: Redis, worker: PortalWorker) -> None:
    data = packed(TICK, None, [], {})
    smuggle(connection, data=data, timeout="-1", result_ttl="x", origin="a\nb", enqueued_at="then")
    run_after_it(worker, connection)
    assert connection.hget(Job.key_for("smuggled"), "status") == b"finished"


@pytest.mark.parametrize(
    "name",
    [
        "jobs.tick.Tick", "JOBS.TICK.TICK", "jobs.tick", "tick", "TICK", " jobs.tick.tick", "jobs.tick.tick\n",
        "jobs.t\u0131ck.tick", "jobs.tick.tick.__call__", "jobs.worker.main", "", None, 1, True, [TICK], {TICK: 1},
    ],
)  # fmt: skip
def test_only_exact_names_are_jobs(name: object) -> None:
    with pytest.raises(RefusedError, match="No job of the portal"):
        read_call({"data": packed(name, None, [], {})})


@pytest.mark.parametrize(
    "args",
    [
        [], [[]], [1], [[1], [2]], [[0]], [[-1]], [[MAX_ID + 1]], [[10**400]], [[True]], [[1.0]], [["1"]], [[None]],
        [[[1]]], [{"1": 1}], {"0": [1]}, "1", None, [list(range(1, MAX_IDS + 2))],
    ],
)  # fmt: skip
def test_only_lists_of_ids_are_arguments(args: object) -> None:
    with pytest.raises(RefusedError, match="arguments"):
        read_call({"data": packed(POLL, None, args, {})})


@pytest.mark.parametrize("name", JobName)
def test_every_job_of_the_portal_is_read(name: JobName) -> None:
    assert (name in WITH_IDS) != (name in WITHOUT_IDS)
    ids = (1, MAX_ID) if name in WITH_IDS else ()
    assert read_call({"data": packed(name.value, None, [list(ids)] if ids else [], {})}) == Call(name, ids)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(JobName),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | json_values.map(lambda value: zlib.compress(json.dumps(value).encode())))
def test_anything_else_is_refused(data: bytes) -> None:
    """A random list is never a whole job."""
    with pytest.raises(RefusedError):
        read_call({"data": data})


@given(st.tuples(json_values, json_values, json_values, json_values))
def test_random_parts_are_a_job_of_the_portal_or_refused(parts: tuple[object, ...]) -> None:
    try:
        call = read_call({"data": packed(*parts)})
    except RefusedError:
        return
    assert parts[0] == call.name.value
    assert all(type(one) is int and 0 < one <= MAX_ID for one in call.ids)


def test_large_job_is_not_read(connection: Redis) -> None:
    with pytest.raises(RefusedError, match="too large"):
        read_call({"data": packed(TICK, None, [], {}), "description": b"x" * MAX_BYTES})


@pytest.mark.parametrize("heartbeat", ["yesterday", "", "9" * 5000, b"\xff", "2026-13-01T00:00:00Z"])
def test_garbage_as_a_heartbeat_is_not_a_worker(heartbeat: str | bytes, connection: Redis) -> None:
    connection.sadd("rq:workers:portal", "rq:worker:a", "rq:worker:b", b"\xff")
    connection.hset("rq:worker:a", "last_heartbeat", heartbeat)
    connection.set("rq:worker:b", "not a hash")
    connection.rpush(open_queue(connection).key, b"\xff")
    assert health(connection) == {"workers": 0, "schedules": 0, "waiting": 1, "waits_since": None}
    assert wake(connection, [Call(JobName.TICK)]) == 1
