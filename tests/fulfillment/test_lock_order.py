"""Two workers that change the same orders at once wait for each other: neither ends in a deadlock.

Each test holds the orders until both workers wait, then lets them go. SQLite has one writer at a time, so only
PostgreSQL is asked.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from portal.models import ChangeAfterSending, Order, OrderEvent, OrderState
from portal.models.states import OrderChange, move

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from tests.fulfillment.world import World

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')")


@contextmanager
def meeting(world: World, numbers: Sequence[str]) -> Iterator[Callable[[Callable[[], object]], Future[object]]]:
    """Hold the orders while workers start, until each of them waits for one."""
    started: list[Future[object]] = []
    with ThreadPoolExecutor() as pool:

        def start(work: Callable[[], object]) -> Future[object]:
            started.append(pool.submit(work))
            _until_waiting(world, len(started))
            return started[-1]

        with world.session() as session:
            session.execute(select(Order.id).where(Order.number.in_(numbers)).with_for_update(key_share=True)).all()
            yield start
            session.commit()
        for one in started:
            one.result(timeout=30)


def _refund(world: World, *numbers: str) -> None:
    """Refund the orders in Big Cartel, so that its list of updated ones names them in this sequence: newest first."""
    for place, number in enumerate(numbers):
        updated_at = f"{world.clock() + timedelta(minutes=10 - place):%Y-%m-%dT%H:%M:%SZ}"
        world.sandbox.edit_order(number, touch=False, payment_status="refunded", updated_at=updated_at)


def _until_waiting(world: World, workers: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with world.engine.connect() as connection:
            if connection.scalar(WAITING) >= workers:
                return
    pytest.fail(f"{workers} workers should wait for the orders.")


def test_two_moves_of_the_same_orders(postgres_world: World) -> None:
    world = postgres_world
    numbers = world.sandbox.place_orders(count=3)
    world.poll()
    ids = [world.order(number).id for number in numbers]

    def close(ids: Sequence[int], who: str) -> None:
        with world.session() as session:
            changes = [OrderChange(one, {"state_reason": "gift"}, actor=who) for one in ids]
            move(session, changes, from_state=OrderState.READY, to_state=OrderState.CLOSED, now=world.clock())
            session.commit()

    with meeting(world, numbers) as start:
        start(lambda: close(ids, "first"))
        start(lambda: close(ids[::-1], "second"))

    assert set(world.states().values()) == {"closed"}
    with world.session() as session:
        told = session.execute(select(OrderEvent.order_id, OrderEvent.actor).order_by(OrderEvent.order_id)).all()
    assert [one.order_id for one in told] == ids
    assert len({one.actor for one in told}) == 1


def test_poll_that_notes_changes_while_track_ships(postgres_world: World) -> None:
    """Track rewrites the second order before it moves the first, and the poll writes the first one first."""
    world = postgres_world
    first, second = numbers = world.sandbox.place_orders(count=2)
    world.run()
    world.sandbox.set_status(second, "On Hold")
    world.sandbox.ship([first])
    _refund(world, first, second)

    with meeting(world, numbers) as start:
        start(world.poll)
        start(world.track)

    assert world.order(first).state in {OrderState.SHIPPED, OrderState.COMPLETED}
    assert world.order(second).fcp_status == "On Hold"
    with world.session() as session:
        assert set(session.scalars(select(ChangeAfterSending.order_id))) <= {world.order(one).id for one in numbers}


def test_poll_that_notes_changes_while_orders_are_settled(postgres_world: World) -> None:
    """Settling moves those that the warehouse has before those that it doesn't have."""
    world = postgres_world
    first, second = numbers = world.sandbox.place_orders(count=2)
    world.sandbox.fault("submit", "cut_after", order=second, times=None)
    world.sandbox.fault("submit", "reset_before", order=first, times=None)
    world.run()
    world.sandbox.clear_faults()
    for number in numbers:
        world.change_order(number, state="unconfirmed", next_attempt_at=world.clock(), submitted_at=None)
    _refund(world, first, second)
    world.clock.forward(minutes=10)

    with meeting(world, numbers) as start:
        start(world.poll)
        start(world.settle)

    world.run_until_settled(3)
    assert world.sandbox.accepted().get(second) == 1
