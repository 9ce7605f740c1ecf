"""A warehouse without clear answers: after three in a row the rest waits; a clear answer starts the count anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal.models import AttemptKind

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def _unclear(world: World, *numbers: str) -> None:
    """No answer that says whether the order was taken, neither at once nor when asked for it."""
    world.sandbox.fault("status", "status", status=500, times=None)
    for number in numbers:
        world.sandbox.fault("submit", "status", status=500, order=number, times=None)


def _sent(world: World, numbers: list[str]) -> list[str]:
    """Those that were sent, each once."""
    attempts = {number: len(world.attempts(number, AttemptKind.SUBMIT)) for number in numbers}
    assert set(attempts.values()) <= {0, 1}
    return [number for number in numbers if attempts[number]]


@pytest.mark.parametrize("orders", [3, 4, 12])
def test_exactly_three_are_sent_and_the_rest_waits(world: World, orders: int) -> None:
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
    assert merchant.fcp_after > world.clock(), "the schedule leaves the warehouse alone for a while"


def test_two_in_a_row_stop_nothing(world: World) -> None:
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


@pytest.mark.parametrize("clear", ["accepted", "refused", "duplicate"])
def test_a_clear_answer_in_between_starts_the_count_anew(small_world: World, clear: str) -> None:
    world = small_world
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=9)
    world.poll()
    _unclear(world, *numbers[:2], *numbers[3:])
    words = {"refused": "Invalid SKU: MUG-01", "duplicate": "Duplicate OrderNumber"}
    if clear in words:
        world.sandbox.fault("submit", "refuse", words=words[clear], order=numbers[2], times=None)
    world.submit()

    assert _sent(world, numbers) == numbers[:6], "two, a clear one, and three more"
    assert world.merchant().fcp_after is not None
