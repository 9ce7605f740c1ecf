"""Several workers on one store, and workers that are killed, suspended or stopped."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from rq.worker_registration import REDIS_WORKER_KEYS
from sqlalchemy import select, update

from embedded.process import send
from portal.engine.leases import LeaseKind
from portal.fulfillment.run_context import RunContext
from portal.fulfillment.submit import settle
from portal.models import Lease, Order, OrderState, Trigger
from portal.queue import Call, JobName, wake
from tests.embedded.processes import eventually
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    import pytest

    from tests.fulfillment.world import World
    from tests.jobs.site import Site


def _lease(portal: Site, name: str) -> Lease:
    with portal.world.session() as session:
        return session.get_one(Lease, name)


def _order_lists_read(portal: Site) -> int:
    return sum(n for call, n in portal.world.sandbox.calls("bigcartel").items() if call.endswith("/orders"))


def test_three_workers_on_one_store_send_each_order_once(portal: Site) -> None:
    numbers = portal.world.sandbox.place_orders(count=120)
    for _ in range(3):
        portal.start_worker()

    portal.run_to_completion(numbers)

    assert all(worker.alive for worker in portal.programs)


def test_second_copy_of_a_job_gives_way(small_portal: Site) -> None:
    """RQ may run two copies of a job at the same time. The second finds nothing due, or the lease taken, and ends."""
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=6)
    store_id = small_portal.world.store().id
    first, second = small_portal.start_worker(), small_portal.start_worker()
    calls = {
        "orders": Call(JobName.POLL, (store_id,)),
        "submit": Call(JobName.SUBMIT, (MERCHANT,)),
        "status": Call(JobName.TRACK, (MERCHANT,)),
    }

    def is_in_flight(call: str) -> bool:
        return call in [one["call"] for one in sandbox.waiting()]

    def gave_way(job: str) -> bool:
        output = first.output() + second.output()
        return f"{job}.already_running" in output or f"{job}.not_due" in output

    for held in calls:
        sandbox.fault(held, "hang")
    for held, call in calls.items():
        with small_portal.redis as connection:
            wake(connection, [call])
            eventually(partial(is_in_flight, held), f"{call.name} is running")
            wake(connection, [call])
        job = call.key.partition("-")[0]
        eventually(partial(gave_way, job), f"the copy of {call.name} gave way")
        assert len(sandbox.waiting()) == 1
        sandbox.release()
        eventually(lambda: sandbox.waiting() or not (first.horses() + second.horses()), "the job is done")

    assert _order_lists_read(small_portal) == 1
    small_portal.run_to_completion(numbers)


def test_work_horse_outlives_its_killed_worker(small_portal: Site) -> None:
    """The work horse keeps renewing its lease, so a second copy of the job gives way."""
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=6)
    sandbox.fault("submit", "hang")
    orphaned = small_portal.start_worker()
    small_portal.until(lambda: sandbox.waiting("fcp"), "a request is in flight")
    orphaned.kill_worker_alone()
    successor = small_portal.start_worker()
    seen = _lease(small_portal, LeaseKind.SUBMIT.of(MERCHANT))

    def renewed_often() -> bool:
        return _lease(small_portal, LeaseKind.SUBMIT.of(MERCHANT)).until > seen.until + timedelta(seconds=2)

    small_portal.until(renewed_often, "the work horse renews its lease")
    with small_portal.redis as connection:
        wake(connection, [Call(JobName.SUBMIT, (MERCHANT,))])
    small_portal.until(lambda: "submit.already_running" in successor.output(), "the second copy gives way")
    assert _lease(small_portal, LeaseKind.SUBMIT.of(MERCHANT)).owner == seen.owner
    assert sum(sandbox.posted().values()) == 1
    assert set(small_portal.world.states().values()) == {"ready", "submitting"}

    sandbox.release()
    small_portal.run_to_completion(numbers)
    assert not orphaned.horses()


def test_work_horse_suspended_past_its_lease_changes_nothing(small_portal: Site) -> None:
    """As when a machine is suspended: another worker settles the orders, and the late answers are ignored."""
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=30)
    sandbox.fault("submit", "latency", seconds=0.3, times=None)
    suspended = small_portal.start_worker()
    small_portal.until(lambda: len(sandbox.waiting("fcp")) > 2, "several requests are in flight")
    small_portal.suspend(suspended)
    (horse,) = suspended.horses()
    small_portal.start_worker()
    small_portal.until_in_state(numbers, "submitted", "shipped", "completed")
    suspended.resume()
    eventually(lambda: horse not in suspended.horses(), "the suspended work horse ends")

    sandbox.ship_all()
    small_portal.until_in_state(numbers, "completed")
    assert sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert sandbox.patches() == dict.fromkeys(numbers, 1)


def test_worker_that_lost_its_lease_claims_and_records_nothing(small_portal: Site) -> None:
    """The warehouse accepted the order in flight; whoever has the lease next asks about it."""
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=6)
    sandbox.fault("submit", "hang")
    worker = small_portal.start_worker()
    small_portal.until(lambda: sandbox.waiting("fcp"), "a request is in flight")
    with small_portal.world.session() as session:
        lease = session.get_one(Lease, LeaseKind.SUBMIT.of(MERCHANT))
        lease.owner, lease.until = "another worker", datetime.now(UTC) + timedelta(minutes=1)
        session.commit()
    eventually(lambda: "lease.lost" in worker.output(), "the loss of the lease is logged")
    sandbox.release()
    eventually(lambda: not worker.horses(), "the work horse ends")

    assert sum(sandbox.posted().values()) == 1
    assert sorted(small_portal.world.states().values()) == ["ready"] * 5 + ["submitting"]
    with small_portal.world.session() as session:
        lease = session.get_one(Lease, LeaseKind.SUBMIT.of(MERCHANT))
        assert lease.owner == "another worker"
        lease.until = datetime.now(UTC)
        session.commit()
    small_portal.run_to_completion(numbers)
    assert worker.alive


def test_store_polled_by_another_process_is_skipped(small_portal: Site) -> None:
    store_id = small_portal.world.store().id
    with small_portal.world.session() as session:
        until = datetime.now(UTC) + timedelta(minutes=1)
        session.add(Lease(name=LeaseKind.READ.of(store_id), owner="another process", until=until))
        session.commit()
    worker = small_portal.start_worker()
    with small_portal.redis as connection:
        wake(connection, [Call(JobName.POLL, (store_id,))])
    small_portal.until(lambda: "poll.not_due" in worker.output(), "the poll gives way")

    assert _order_lists_read(small_portal) == 0
    assert small_portal.world.store().last_polled_at is None


def _stop_requested(site: Site) -> bool:
    with site.redis as connection:
        return any(connection.hexists(key, "shutdown_requested_date") for key in connection.smembers(REDIS_WORKER_KEYS))


def test_sigterm_lets_the_job_finish(small_portal: Site) -> None:
    sandbox = small_portal.world.sandbox
    numbers = sandbox.place_orders(count=12)
    sandbox.fault("submit", "hang", order=numbers[0])
    worker = small_portal.start_worker()
    small_portal.until(lambda: sandbox.waiting("fcp"), "a request is in flight")
    send(worker.pid, signal.SIGTERM)
    eventually(lambda: _stop_requested(small_portal), "the worker is shutting down")
    assert worker.alive
    sandbox.release()

    assert worker.wait_until_dead() == 0
    assert sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert set(small_portal.world.states().values()) == {"submitted"}
    with small_portal.world.session() as session:
        assert session.scalars(select(Order.claim).where(Order.state == OrderState.SUBMITTING)).all() == []


def test_run_by_a_person_does_not_block_writers_while_it_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "STATUS_LAG", timedelta(seconds=0.5))
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "status", status=500)
    world.poll()
    write_seconds: list[float] = []

    def say(sentence: str) -> None:
        started = time.monotonic()
        with world.engine.begin() as connection:
            connection.execute(update(Order).values(claim=Order.claim))
        write_seconds.append(time.monotonic() - started)

    world.submit(context=RunContext(trigger=Trigger.PERSON, say=say))
    assert len(write_seconds) == 1
    assert write_seconds[0] < 5
    assert world.sandbox.accepted() == {number: 1}
