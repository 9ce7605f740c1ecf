"""Open orders are asked about less often as they grow old, and all of them after a failure or when a person asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import OrderState
from portal.rules.asking import HOURLY_FOR
from tests.fulfillment.world import BY_PERSON

if TYPE_CHECKING:
    from tests.fulfillment.world import World

STATUS = "POST /xml/status/"


def _shipped_when_old(world: World) -> str:
    """Return an order that the warehouse ships minutes after it was asked about it, weeks after it was sent."""
    number = world.sandbox.place_order()
    world.run()
    world.clock.forward(days=HOURLY_FOR.days, hours=1)
    world.track()
    assert world.states() == {number: OrderState.SUBMITTED}
    world.sandbox.ship_all()
    world.clock.forward(minutes=6)
    return number


def test_old_order_waits_for_its_time(world: World) -> None:
    number = _shipped_when_old(world)
    world.sandbox.clear_calls()
    world.track()
    assert STATUS not in world.sandbox.calls("fcp")
    assert world.states() == {number: OrderState.SUBMITTED}
    world.clock.forward(hours=6)
    world.track()
    assert world.states() == {number: OrderState.COMPLETED}


def test_person_asks_about_old_orders_at_once(sqlite_world: World) -> None:
    number = _shipped_when_old(sqlite_world)
    sqlite_world.track(context=BY_PERSON)
    assert sqlite_world.states() == {number: OrderState.COMPLETED}


def test_old_order_is_asked_about_again_soon_after_a_failed_call(sqlite_world: World) -> None:
    number = _shipped_when_old(sqlite_world)
    sqlite_world.clock.forward(hours=6)
    sqlite_world.sandbox.fault("status", "status", status=404)
    sqlite_world.track()
    assert sqlite_world.states() == {number: OrderState.SUBMITTED}
    sqlite_world.clock.forward(minutes=6)
    sqlite_world.track()
    assert sqlite_world.states() == {number: OrderState.COMPLETED}


def test_new_orders_are_asked_about_in_every_run(sqlite_world: World) -> None:
    old = _shipped_when_old(sqlite_world)
    new = sqlite_world.sandbox.place_order()
    sqlite_world.poll()
    sqlite_world.submit()
    sqlite_world.sandbox.ship_all()
    sqlite_world.clock.forward(minutes=1)
    sqlite_world.track()
    assert sqlite_world.states() == {old: OrderState.SUBMITTED, new: OrderState.COMPLETED}
