"""Orders that were claimed, but not sent by the time their run ended, are sent by the next one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.clients.fcp import Fcp
from portal.fulfillment.run_context import RunContext
from portal.models import AttemptKind, AttemptOutcome
from tests.embedded.processes import eventually

if TYPE_CHECKING:
    import pytest

    from portal.clients.fcp import Accepted, OrderRequest
    from tests.fulfillment.world import World

TURN = timedelta(seconds=10)
ORDERS = 20


def _send(world: World, monkeypatch: pytest.MonkeyPatch, *, slow_after: int) -> dict[str, int]:
    """Send in a turn, with a warehouse that takes 16 seconds for each order after the first few.

    Return how often each order was posted.
    """
    posted: dict[str, int] = {}
    submit = Fcp.submit

    def is_next_claimed() -> bool:
        return any(state == "submitting" for number, state in world.states().items() if number not in posted)

    def slowly(fcp: Fcp, order: OrderRequest) -> Accepted:
        posted[order.order_number] = posted.get(order.order_number, 0) + 1
        if len(posted) > slow_after:
            eventually(is_next_claimed, "the next order is claimed")
            world.clock.forward(seconds=16)
        return submit(fcp, order)

    with monkeypatch.context() as patch:
        patch.setattr(Fcp, "submit", slowly)
        world.submit(context=RunContext(turn=TURN))
    return posted


def test_orders_claimed_but_not_sent_in_time_are_sent_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=ORDERS)
    world.poll()

    posted = _send(world, monkeypatch, slow_after=5)
    assert list(posted) == numbers[:6]
    assert world.states() == {
        **dict.fromkeys(numbers[:6], "submitted"),
        **dict.fromkeys(numbers[6:], "ready"),
    }
    withdrawn = [attempt for number in numbers[6:] for attempt in world.attempts(number, AttemptKind.SUBMIT)]
    assert withdrawn, "some were claimed"
    assert {attempt.outcome for attempt in withdrawn} == {AttemptOutcome.NOT_SENT}
    assert {(attempt.explanation, attempt.departed_at) for attempt in withdrawn} == {
        ("We stopped before we came to this order, so nothing was sent. We'll try again automatically.", None)
    }

    world.submit()
    assert set(world.states().values()) == {"submitted"}
    assert {number: world.sandbox.received()[number]["accepted"] for number in numbers} == dict.fromkeys(numbers, 1)
    merchant = world.merchant()
    assert (merchant.fcp_failures, merchant.fcp_after) == (0, None), "nothing was wrong with the warehouse"
