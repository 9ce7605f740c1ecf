"""All workers together make no more calls at once to a service than the setting allows."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from jobs.track import track
from portal import shared_calls
from portal.engine.fan_out import fan_out
from portal.fulfillment.track import mark_shipped
from portal.models import HostName
from portal.queue import QUEUE, connect
from portal.shared_calls import SharedCalls
from tests.embedded.processes import eventually
from tests.fulfillment.world import ACCOUNT, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.fulfillment.world import World
    from tests.jobs.site import Site

OTHER, OTHER_ACCOUNT = 817, "1000002"
LIMIT = 8
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        yield client


def _run_workers(connection: Redis, number: int) -> None:
    connection.delete(WORKERS_BY_QUEUE_KEY % QUEUE)
    connection.sadd(WORKERS_BY_QUEUE_KEY % QUEUE, *range(number))


def _job(redis_url: str, wanted: int = 8, host: HostName = HostName.WAREHOUSE) -> SharedCalls:
    return SharedCalls(redis_url, host, wanted=wanted, limit=LIMIT)


def test_job_alone_makes_as_many_calls_as_it_can(redis_url: str, connection: Redis) -> None:
    _run_workers(connection, 1)
    with _job(redis_url) as alone, _job(redis_url, 4, HostName.BIG_CARTEL) as elsewhere:
        assert (alone.take(), alone.take(), elsewhere.take()) == (8, 8, 4)


@pytest.mark.parametrize("workers", [2, 3, 5, 8])
def test_shares_become_equal_and_never_exceed_the_limit(redis_url: str, connection: Redis, workers: int) -> None:
    """Whoever starts later makes at least one call, and has its full share from the next turn of the others on."""
    _run_workers(connection, workers)
    jobs = [_job(redis_url) for _ in range(workers)]
    first = [job.take() for job in jobs]
    assert min(first) >= 1
    assert sum(first) <= LIMIT

    later = first
    for _ in range(2):
        for nth, job in enumerate(jobs):
            later[nth] = job.take()
            assert sum(later) <= LIMIT
    assert max(later) - min(later) <= 1
    for job in jobs:
        job.__exit__()
    with _job(redis_url) as alone:
        assert alone.take() == LIMIT - (workers - 1)


def test_more_workers_than_calls_make_one_each(redis_url: str, connection: Redis) -> None:
    _run_workers(connection, LIMIT + 3)
    with _job(redis_url) as one, _job(redis_url) as other:
        assert (one.take(), other.take(), one.take()) == (1, 1, 1)


def test_share_of_a_dead_job_is_free_again(redis_url: str, connection: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    _run_workers(connection, 2)
    living, died = _job(redis_url), _job(redis_url)
    with living, monkeypatch.context() as patch:
        # As if it had died so long ago.
        patch.setattr(shared_calls, "HELD_FOR", -shared_calls.HELD_FOR)
        died.take()
        patch.undo()
        assert living.take() == 7
    died.__exit__()


def test_running_job_keeps_its_share(redis_url: str, connection: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long its turn is."""
    monkeypatch.setattr(shared_calls, "RENEW_EVERY", 0.01)
    _run_workers(connection, 2)

    def held_until() -> float:
        key = f"portal:calls:{HostName.WAREHOUSE}:ends"
        return connection.zscore(key, *connection.zrange(key, 0, -1)) or 0.0

    with _job(redis_url) as job:
        job.take()
        began = held_until()
        eventually(lambda: held_until() > began + 0.05, "its share is held for longer")
    assert connection.keys("portal:calls:*") == []


def test_without_redis_a_job_makes_one_call_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    with _job(NO_REDIS) as job:
        assert job.take() == 1
    assert "calls.not_shared" in caplog.text


def test_job_that_makes_one_call_at_a_time_asks_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with _job(NO_REDIS, wanted=1) as job:
        assert job.take() == 1
    assert caplog.text == ""


def test_two_workers_share_the_calls(small_portal: Site) -> None:
    """Each could send eight orders at once."""
    world, sandbox = small_portal.world, small_portal.world.sandbox
    world.settings = replace(world.settings, fcp_concurrency=8, fcp_calls_at_once=5)
    world.add_merchant(OTHER, OTHER_ACCOUNT)
    numbers = [
        number for account in (ACCOUNT, OTHER_ACCOUNT) for number in sandbox.place_orders(count=40, account=account)
    ]
    sandbox.fault("submit", "latency", seconds=0.2, times=None)
    for _ in range(2):
        small_portal.start_worker()
    seen: list[dict[str, int]] = []

    def are_sent() -> bool:
        held = [one["party"] for one in sandbox.waiting("fcp")]
        seen.append({party: held.count(party) for party in set(held)})
        return set(world.states().values()) == {"submitted"} and len(world.states()) == len(numbers)

    small_portal.until(are_sent, "all orders are sent")
    assert max(sum(one.values()) for one in seen) in {4, 5}
    assert any(len(one) == 2 for one in seen)
    assert sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_worker_that_was_killed_keeps_no_calls(small_portal: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    world, sandbox = small_portal.world, small_portal.world.sandbox
    numbers = sandbox.place_orders(count=12)
    sandbox.fault("submit", "hang", skip=1, times=None)
    killed = small_portal.start_worker()
    small_portal.until(lambda: len(sandbox.waiting("fcp")) == 8, "it makes as many calls as it can")
    killed.kill()
    with _job(world.settings.redis_url) as other:
        assert other.take() == 1
        now = time.time() + shared_calls.HELD_FOR.total_seconds()
        monkeypatch.setattr(SharedCalls, "_now", lambda _: now)
        assert other.take() == 8
    sandbox.clear_faults()
    small_portal.start_worker()
    small_portal.until_in_state(numbers, "submitted")
    assert sandbox.accepted() == dict.fromkeys(numbers, 1)


@pytest.mark.parametrize(("workers", "at_once"), [(1, 4), (62, 3), (64, 1)])
def test_orders_are_marked_with_the_share_of_the_job(
    workers: int, at_once: int, in_job: World, connection: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 64 calls to Big Cartel."""
    numbers = in_job.sandbox.place_orders(count=3)
    in_job.poll()
    in_job.submit()
    in_job.sandbox.ship_all()
    _run_workers(connection, workers)
    threads: list[int] = []

    def noted(*given: Any, **options: Any) -> None:
        threads.append(options["threads"])
        fan_out(*given, **options)

    monkeypatch.setattr(mark_shipped, "fan_out", noted)
    track([MERCHANT])
    assert threads == [at_once]
    assert in_job.sandbox.patches() == dict.fromkeys(numbers, 1)
