"""Redis dies and its data with it: the database knows what there is to do, so it costs one tick."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from embedded.process import launch
from embedded.redis import prepare, trouble
from portal.queue import Call, JobName, health, open_queue, wake
from tests.embedded.processes import eventually
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.jobs.site import Site


class LosableRedis:
    """A server that can be killed, and comes back at the same address with nothing in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = prepare(folder)
        self.url = self._server.url
        self.start()

    def start(self) -> None:
        self._process = launch(self._server.command, output=subprocess.DEVNULL, folder=self._folder)
        eventually(lambda: not trouble(self.url), "Redis answers")

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
    """The worker waits in Redis for a job: its state alone says so a few calls too early."""
    blocked: int = connection.info("clients")["blocked_clients"]
    return blocked == 1


def test_jobs_that_wait_are_lost(portal: Site, losable_redis: LosableRedis) -> None:
    numbers = portal.world.sandbox.place_orders(count=12)
    with portal.redis as connection:
        wake(connection, [Call(JobName.POLL, (portal.world.store().id,)), Call(JobName.SUBMIT, (MERCHANT,))])
    losable_redis.lose()
    losable_redis.start()
    with portal.redis as connection:
        assert open_queue(connection).count == 0

    portal.start_worker()
    portal.bring_to_an_end(numbers)


def test_redis_goes_away_while_orders_are_being_sent(small_portal: Site, losable_redis: LosableRedis) -> None:
    """The horse goes on without it; its worker may end at the next heartbeat, and is started anew."""
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=12)
    sandbox.fault("submit", "hang", order=numbers[0])
    worker = small_portal.start_worker()
    small_portal.until(lambda: sandbox.waiting("fcp"), "a request is out")
    losable_redis.lose()
    sandbox.release()
    eventually(lambda: sandbox.accepted() == dict.fromkeys(numbers, 1), "the horse goes on without Redis")
    losable_redis.start()

    small_portal.supervised = True
    small_portal.bring_to_an_end(numbers)
    assert worker.alive or worker.process.returncode == 1  # never 0, which says that it was asked to stop


def test_an_idle_worker_finds_a_new_redis_by_itself(small_portal: Site, losable_redis: LosableRedis) -> None:
    worker = small_portal.start_worker()
    small_portal.until(lambda: small_portal.world.store().last_polled_at, "the worker works")
    with small_portal.redis as connection:
        eventually(lambda: _is_idle(connection), "it is idle")
    losable_redis.lose()
    numbers = small_portal.world.sandbox.place_orders(count=3)
    losable_redis.start()

    small_portal.bring_to_an_end(numbers)
    assert worker.alive
    with small_portal.redis as connection:
        eventually(lambda: health(connection)["workers"] == 1, "it is known to be alive", seconds=60)


@pytest.mark.parametrize("program", ["jobs.worker", "jobs.schedule"])
def test_a_program_that_finds_no_redis_says_so_and_ends(
    program: str, small_portal: Site, losable_redis: LosableRedis
) -> None:
    losable_redis.lose()
    started = small_portal.start(program)
    assert started.wait_until_dead() == 1
    assert "couldn't reach Redis" in started.said().splitlines()[-1]
    assert "Traceback" not in started.said()
