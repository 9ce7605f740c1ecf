"""Three unclear warehouse answers in a row pause sending; a clear answer resets the count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal.models import AttemptKind

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def _unclear(world: World, *numbers: str) -> None:
    """Make the warehouse fail to say whether it has these orders, on submission and in status calls."""
    world.sandbox.fault("status", "status", status=500, times=None)
    for number in numbers:
        world.sandbox.fault("submit", "status", status=500, order=number, times=None)


def _sent(world: World, numbers: list[str]) -> list[str]:
    """Return the orders that were sent; assert that none was sent twice."""
    attempts = {number: len(world.attempts(number, AttemptKind.SUBMIT)) for number in numbers}
    assert set(attempts.values()) <= {0, 1}
    return [number for number in numbers if attempts[number]]


@pytest.mark.parametrize("orders", [3, 4, 12])
def test_sending_pauses_after_three_unclear_answers(world: World, orders: int) -> None:
    numbers = world.sandbox.place_orders(count=orders)
    world.poll()
    _unclear(world, *numbers)
    world.submit()

    assert _sent(world, numbers) == numbers[:3]
    assert world.states() == {
        **dict.fromkeys(numbers[:3], "unconfirmed"),
        **dict.fromkeys(numbers[3:], "ready"),
    }
    merchant = world.merchant()
    assert merchant.fcp_failures == 1
    assert merchant.fcp_error
    assert merchant.fcp_after is not None
    assert merchant.fcp_after > world.clock(), "the next scheduled submission waits"


def test_two_unclear_answers_in_a_row_do_not_pause_sending(world: World) -> None:
    numbers = world.sandbox.place_orders(count=6)
    world.poll()
    _unclear(world, *numbers[:2])
    world.submit()

    assert _sent(world, numbers) == numbers
    assert world.states() == {
        **dict.fromkeys(numbers[:2], "unconfirmed"),
        **dict.fromkeys(numbers[2:], "submitted"),
    }
    assert (world.merchant().fcp_failures, world.merchant().fcp_after) == (0, None)


@pytest.mark.parametrize("clear", ["accepted", "rejected", "duplicate"])
def test_clear_answer_in_between_resets_the_count(sqlite_world: World, clear: str) -> None:
    world = sqlite_world
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=9)
    world.poll()
    _unclear(world, *numbers[:2], *numbers[3:])
    words = {"rejected": "Invalid SKU: MUG-01", "duplicate": "Duplicate OrderNumber"}
    if clear in words:
        world.sandbox.fault("submit", "refuse", words=words[clear], order=numbers[2], times=None)
    world.submit()

    assert _sent(world, numbers) == numbers[:6], "two unclear answers, a clear one, then three more unclear ones"
    assert world.merchant().fcp_after is not None
