"""Orders that the warehouse canceled are followed for two weeks: it may take them up again or ship them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from portal.models import AttemptKind, Order, OrderState
from portal.models.states import ClosedBecause
from portal.rules.patience import CANCELED_FOR_GOOD_AFTER, STATUS_LAG
from tests.fulfillment.closed_orders import check_closed, check_open, later

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def _canceled(world: World) -> str:
    """Return an order that was closed because the warehouse canceled it."""
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.set_status(number, "Cancelled")
    later(world)
    world.track()
    check_closed(world, number, ClosedBecause.CANCELED)
    later(world)
    return number


# Big Cartel


def test_order_canceled_at_the_warehouse_and_completed_there_is_marked(world: World) -> None:
    number = _canceled(world)
    world.sandbox.set_status(number, "Completed")

    world.track()

    check_open(world, number, OrderState.COMPLETED)
    assert world.sandbox.patches() == {number: 1}
    assert world.sandbox.posted() == {number: 1}


@pytest.mark.parametrize("status", ["Pending", "In Process", "On Hold"])
def test_order_that_the_warehouse_takes_up_again_is_at_the_warehouse(world: World, status: str) -> None:
    number = _canceled(world)
    world.sandbox.set_status(number, status)

    world.track()

    check_open(world, number, OrderState.SUBMITTED)
    assert world.order(number).fcp_status == status
    last = world.attempts(number, AttemptKind.STATUS)[-1]
    assert "no longer shows the order as canceled" in last.explanation
    assert status in world.cli("orders", "show", number).output
    world.sandbox.ship_all()
    later(world)
    world.track()
    assert world.states() == {number: "completed"}
    assert world.sandbox.posted() == {number: 1}


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_order_that_stays_canceled_leaves_no_trace(world: World, *, is_forgotten: bool) -> None:
    number = _canceled(world)
    if is_forgotten:
        world.sandbox.forget(number)
    before = len(world.attempts(number))

    tracked = world.track()

    assert tracked.missing == 0
    assert len(world.attempts(number)) == before
    check_closed(world, number, ClosedBecause.CANCELED)


def test_canceled_orders_are_asked_about_in_the_same_call_for_two_weeks(world: World) -> None:
    number = _canceled(world)
    world.sandbox.place_order()
    world.run()
    world.sandbox.clear_calls()
    world.track()
    assert sum(world.sandbox.calls("fcp").values()) == 1

    world.sandbox.set_status(number, "Completed")
    world.clock.forward(seconds=CANCELED_FOR_GOOD_AFTER.total_seconds())
    world.track()
    check_closed(world, number, ClosedBecause.CANCELED)


def test_order_closed_by_a_person_is_not_asked_about(world: World) -> None:
    number = _canceled(world)
    with world.session() as session:
        session.execute(update(Order).values(closed_because=ClosedBecause.PERSON))
        session.commit()
    world.sandbox.set_status(number, "Completed")
    world.sandbox.clear_calls()

    world.track()

    assert world.sandbox.calls("fcp") == {}
    check_closed(world, number, ClosedBecause.PERSON)


def test_order_is_not_lost_before_the_warehouse_can_show_it(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.forget(number)

    assert world.track().missing == 0
    assert not world.order(number).is_lost

    world.clock.forward(seconds=STATUS_LAG.total_seconds())
    assert world.track().missing == 1
    assert world.order(number).is_lost
