"""Another worker takes over while this one waits for an answer: this one saves nothing, and says so in one sentence."""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from jobs.leased import skip_if_leased
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.clock import utc_now
from portal.engine.leases import HeldLease
from portal.fulfillment import hosts
from portal.fulfillment.reread import reread_orders
from portal.fulfillment.run_context import RunContext
from portal.models import HostName, Lease, Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fulfillment.world import World

READY, SENDING, SENT = "ready", "submitting", "submitted"


@pytest.fixture
def taken_over_during(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[type, str], None]:
    """Make another worker take over all leases during the next call of this method, and release them again."""

    def plan(owner: type, function: str) -> None:
        real = getattr(owner, function)

        @wraps(real)
        def call(*args: Any, **kwargs: Any) -> Any:
            with world.session() as session:
                session.execute(update(Lease).values(owner="another worker", until=utc_now()))
                session.commit()
            monkeypatch.setattr(owner, function, real)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, function, call)

    return plan


@pytest.mark.parametrize(
    ("command", "during", "before", "after"),
    [
        ("poll", (BigCartel, "order_pages"), None, None),
        ("submit", (Fcp, "submit"), READY, SENDING),
        ("track", (Fcp, "statuses"), SENT, SENT),
    ],
)
def test_sync_that_lost_its_lease_says_so_and_the_next_one_finishes(
    world: World,
    taken_over_during: Callable[[type, str], None],
    command: str,
    during: tuple[type, str],
    before: str | None,
    after: str | None,
) -> None:
    number = world.sandbox.place_order()
    if command != "poll":
        world.poll()
    if command == "track":
        world.submit()
        world.sandbox.ship_all()
    assert world.states().get(number) == before

    taken_over_during(*during)
    result = world.cli("sync", command)
    assert result.exit_code == 1
    assert result.output.strip() == (
        "merchant 816: stopped, because this process was paused and another worker took over. "
        "No order is lost. Try again in a few minutes."
    )
    assert world.states().get(number) == after

    assert world.cli("sync", command).exit_code == 0
    assert world.states() == {number: {"poll": READY, "submit": SENT, "track": "completed"}[command]}
    assert world.sandbox.posted() == ({} if command == "poll" else {number: 1})


def test_order_whose_rereading_lost_its_lease_counts_as_not_read(
    world: World, taken_over_during: Callable[[type, str], None]
) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse")
    world.run()
    document = world.order(number).document
    world.sandbox.edit_order(number, customer_note="Ring twice")
    taken_over_during(BigCartel, "order")
    with world.session() as session:
        orders = session.scalars(select(Order)).all()
        assert reread_orders(session, orders, world.settings, RunContext(clock=world.clock)) == set()
        assert world.order(number).document == document
        assert reread_orders(session, orders, world.settings, RunContext(clock=world.clock)) == {orders[0].id}


def test_job_that_lost_its_lease_ends_normally(
    world: World, taken_over_during: Callable[[type, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    world.sandbox.place_order()
    taken_over_during(BigCartel, "order_pages")
    with skip_if_leased("poll.already_running", store=world.store().id):
        world.poll()
    assert [record.message for record in caplog.records if record.name.startswith(("portal", "jobs"))] == ["lease.lost"]
    assert world.states() == {}


def test_lease_that_ran_out_before_a_call_and_was_renewed_does_not_count_as_an_outage(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a suspension in which no other worker took over: the thread of the call is the first to notice."""
    number = world.sandbox.place_order()
    world.poll()
    with monkeypatch.context() as patch:
        is_in_call = property(lambda _: threading.current_thread().name.startswith("call"))
        patch.setattr(HeldLease, "lost", is_in_call)
        world.submit()

    assert world.states() == {number: READY}
    assert world.sandbox.posted() == {}
    with world.session() as session:
        assert hosts.failing(session, HostName.WAREHOUSE) is None
    world.submit()
    assert world.states() == {number: SENT}
