"""A worker or schedule that was killed stops being counted within a minute, although RQ keeps it registered longer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.worker import build
from portal import create_app
from portal.clock import utc_now
from portal.queue import ALIVE_SECONDS, health
from tests.conftest import settings_for
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    import pytest

    from tests.jobs.site import Site


def test_killed_worker_and_schedule_are_not_counted(small_portal: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def running() -> tuple[int, int]:
        with small_portal.redis as connection:
            found = health(connection)
        return found["workers"], found["schedules"]

    worker, schedule = small_portal.start("jobs.worker"), small_portal.start("jobs.schedule")
    eventually(lambda: running() == (1, 1), "both are running", seconds=30)
    other = small_portal.start("jobs.worker")
    eventually(lambda: running() == (2, 1), "the second worker is running", seconds=30)
    for program in (worker, other, schedule):
        program.kill()
    assert running() == (2, 1)
    monkeypatch.setattr("portal.queue.utc_now", lambda: utc_now() + timedelta(seconds=ALIVE_SECONDS))
    assert running() == (0, 0)


def test_an_idle_worker_sends_heartbeats_in_time(sqlite_url: str, redis_url: str) -> None:
    """It waits for a job this long between two of them; a busy machine may need some more."""
    worker = build(create_app(settings_for(sqlite_url)), redis_url)
    assert worker.dequeue_timeout + 15 <= ALIVE_SECONDS < 60
