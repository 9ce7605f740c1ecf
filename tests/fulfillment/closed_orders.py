"""Checks that the tests of closed and reopened orders share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import OrderState

if TYPE_CHECKING:
    from portal.models.states import ClosedBecause
    from tests.fulfillment.world import World


def check_closed(world: World, number: str, because: ClosedBecause) -> None:
    """Check that the order is closed, and why."""
    order = world.order(number)
    assert (order.state, order.closed_because) == (OrderState.CLOSED, because)
    assert order.state_reason


def check_open(world: World, number: str, state: OrderState, reason: str = "") -> None:
    order = world.order(number)
    assert (order.state, order.closed_because, order.state_reason) == (state, None, reason)


def later(world: World) -> None:
    world.clock.forward(minutes=2)
