"""The warehouse ships an order in parts, and its status answer lists the number once per part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.models import AttemptKind, OrderState

if TYPE_CHECKING:
    from tests.fulfillment.world import World

FIRST = {"status": "Completed", "tracking": ["9400-A"], "carrier": "USPS", "ship_date": "2026-11-20"}
SECOND = {"status": "Completed", "tracking": ["1Z-B"], "carrier": "UPS", "ship_date": "2026-11-23"}
CANCELLED = {"status": "Cancelled"}


def sent(world: World) -> str:
    number = world.sandbox.place_order()
    world.run()
    assert world.states() == {number: "submitted"}
    return number


def track(world: World) -> None:
    world.clock.forward(minutes=10)
    world.track()


def test_order_is_shipped_when_its_last_part_is(world: World) -> None:
    number = sent(world)
    world.sandbox.set_status(number, "Pending", parts=[FIRST, {"status": "Back Order"}])
    track(world)

    assert (world.order(number).state, world.order(number).fcp_status) == (OrderState.SUBMITTED, "Back Order")
    assert world.sandbox.shipping_statuses() == {number: "unshipped"}

    world.sandbox.set_status(number, "Pending", parts=[SECOND, FIRST])
    track(world)

    order = world.order(number)
    assert (order.state, order.carrier, order.shipped_on) == (OrderState.COMPLETED, "UPS, USPS", "2026-11-23")
    assert order.tracking_numbers == ["1Z-B", "9400-A"]
    assert world.sandbox.shipping_statuses() == {number: "shipped"}
    check = world.attempts(number, AttemptKind.STATUS)[-1]
    assert "9400-A" in check.answer
    assert "1Z-B" in check.answer


@pytest.mark.parametrize("parts", [[FIRST, CANCELLED], [CANCELLED, FIRST]])
def test_shipped_part_outweighs_a_cancelled_one(world: World, parts: list[dict[str, Any]]) -> None:
    number = sent(world)
    world.sandbox.set_status(number, "Pending", parts=parts)
    track(world)

    assert (world.order(number).state, world.order(number).tracking_numbers) == (OrderState.COMPLETED, ["9400-A"])
    assert world.sandbox.patches() == {number: 1}


def test_order_is_canceled_when_every_part_is(world: World) -> None:
    number = sent(world)
    world.sandbox.set_status(number, "Pending", parts=[CANCELLED, CANCELLED])
    track(world)

    assert world.order(number).state is OrderState.CLOSED


def test_warehouse_ships_the_open_parts(world: World) -> None:
    number = sent(world)
    world.sandbox.set_status(number, "Pending", parts=[FIRST, {"status": "Pending", "tracking": ["9400-C"]}])
    world.sandbox.ship_all()
    track(world)

    assert world.order(number).tracking_numbers == ["9400-A", "9400-C"]
