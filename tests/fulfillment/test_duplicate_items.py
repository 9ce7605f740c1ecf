"""An error about a duplicate item within an order does not mean that the warehouse has the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.models import AttemptKind, OrderState

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.mark.parametrize("has_status_call", [True, False])
@pytest.mark.parametrize("words", ["Duplicate item in order", "Duplicate SKU in order"])
def test_duplicate_item_error_is_a_rejection(sqlite_world: World, words: str, *, has_status_call: bool) -> None:
    world = sqlite_world
    if not has_status_call:
        world.sandbox.fault("status", "status", status=404, times=None)
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse", words=words, times=None)
    world.run_until_settled()

    order = world.order(number)
    assert (order.state, order.state_reason, order.submitted_at) == (OrderState.REJECTED, words, None)
    assert len(world.attempts(number, AttemptKind.SUBMIT)) == 1
