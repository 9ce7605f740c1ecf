"""Losing Redis with all its data costs one tick, because the database knows what is due."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from embedded.process import launch
from embedded.redis import connection_error, prepare
from portal.queue import Call, JobName, health, open_queue, wake
from tests.embedded.processes import eventually
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.jobs.site import Site


class LosableRedis:
    """A Redis server that can be killed and comes back empty at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = prepare(folder)
        self.url = self._server.url
        self.start()

    def start(self) -> None:
        self._process = launch(self._server.command, output=subprocess.DEVNULL, folder=self._folder)
        eventually(lambda: not connection_error(self.url), "Redis answers")

    def lose(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for entry in self._folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
                entry.mkdir()


@pytest.fixture
def losable_redis(tmp_path: Path) -> Iterator[LosableRedis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    made = LosableRedis(folder)
    yield made
    made.lose()


@pytest.fixture
def redis_url(losable_redis: LosableRedis) -> str:
    return losable_redis.url


def _is_idle(connection: Redis) -> bool:
    """Return whether the worker is waiting for a job in Redis. Its own state says so a few calls too early."""
    blocked: int = connection.info("clients")["blocked_clients"]
    return blocked == 1


def test_work_of_lost_jobs_is_done_anyway(portal: Site, losable_redis: LosableRedis) -> None:
    numbers = portal.world.sandbox.place_orders(count=12)
    with portal.redis as connection:
        wake(connection, [Call(JobName.POLL, (portal.world.store().id,)), Call(JobName.SUBMIT, (MERCHANT,))])
    losable_redis.lose()
    losable_redis.start()
    with portal.redis as connection:
        assert open_queue(connection).count == 0

    portal.start_worker()
    portal.run_to_completion(numbers)


def test_redis_dies_while_orders_are_being_sent(small_portal: Site, losable_redis: LosableRedis) -> None:
    """The work horse finishes without Redis. Its worker may exit at the next heartbeat and is then replaced."""
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=12)
    sandbox.fault("submit", "hang", order=numbers[0])
    worker = small_portal.start_worker()
    small_portal.until(lambda: sandbox.waiting("fcp"), "a request is in flight")
    losable_redis.lose()
    sandbox.release()
    eventually(lambda: sandbox.accepted() == dict.fromkeys(numbers, 1), "the work horse finishes without Redis")
    losable_redis.start()

    small_portal.supervised = True
    small_portal.run_to_completion(numbers)
    assert worker.alive or worker.process.returncode == 1  # 0 would mean that it was told to stop


def test_idle_worker_reconnects_to_a_new_redis(small_portal: Site, losable_redis: LosableRedis) -> None:
    worker = small_portal.start_worker()
    small_portal.until(lambda: small_portal.world.store().last_polled_at, "the worker has polled")
    with small_portal.redis as connection:
        eventually(lambda: _is_idle(connection), "the worker is idle")
    losable_redis.lose()
    numbers = small_portal.world.sandbox.place_orders(count=3)
    losable_redis.start()

    small_portal.run_to_completion(numbers)
    assert worker.alive
    with small_portal.redis as connection:
        eventually(lambda: health(connection)["workers"] == 1, "the worker is registered again", seconds=60)


@pytest.mark.parametrize("program", ["jobs.worker", "jobs.schedule"])
def test_program_without_redis_exits_with_an_error(
    program: str, small_portal: Site, losable_redis: LosableRedis
) -> None:
    losable_redis.lose()
    started = small_portal.start(program)
    assert started.wait_until_dead() == 1
    assert "couldn't reach Redis" in started.output().splitlines()[-1]
    assert "Traceback" not in started.output()
