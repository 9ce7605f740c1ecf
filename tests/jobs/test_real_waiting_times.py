"""The programs as they run in production, with their real waiting times."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from embedded.process import send
from portal.engine import leases
from portal.queue import health
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    from tests.jobs.site import Site


def test_a_dead_workers_orders_are_taken_over_within_a_minute(small_portal: Site) -> None:
    """Two schedules run throughout, and only their ticks start work, from the first poll to the PATCH at Big Cartel."""
    assert leases.LEASE.total_seconds() == 30
    sandbox, world = small_portal.world.sandbox, small_portal.world
    numbers = sandbox.place_orders(count=6)
    sandbox.fault("submit", "hang", order=numbers[1])
    doomed = small_portal.start("jobs.worker")
    schedules = [small_portal.start("jobs.schedule"), small_portal.start("jobs.schedule")]
    eventually(lambda: sandbox.waiting("fcp"), "a request is in flight", seconds=30)
    doomed.kill()
    killed_at = time.monotonic()
    sandbox.clear_faults()
    assert "submitting" in world.states().values()
    small_portal.start("jobs.worker")

    eventually(lambda: set(world.states().values()) == {"submitted"}, "all are submitted", seconds=60)
    assert time.monotonic() - killed_at < 60
    with small_portal.redis as connection:
        assert health(connection)["schedules"] == 2
    sandbox.ship_all()
    eventually(lambda: set(world.states().values()) == {"completed"}, "Big Cartel is updated", seconds=30)
    small_portal.assert_once(numbers)
    for schedule in schedules:
        send(schedule.pid, signal.SIGTERM)
        assert schedule.wait_until_dead() == 0
