"""What resumes after an outage or a pause, and what needs attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import OrderState
from portal.reports.attention import problems
from tests.fulfillment.people import replace_token
from tests.fulfillment.world import ACCOUNT, BIGCARTEL_TOKEN, MERCHANT

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def test_warehouse_without_a_status_call_needs_attention(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.submit()
    world.sandbox.fault("status", "status", status=404, times=None)
    world.track()

    shown = problems(world.merchant(), [world.store()], {}, world.clock())
    assert ["which orders it has shipped" in problem.sentence for problem in shown] == [True]

    world.sandbox.clear_faults()
    world.sandbox.ship_all()
    world.clock.forward(minutes=10)
    world.track()
    assert problems(world.merchant(), [world.store()], {}, world.clock()) == []
    assert world.order(number).state is OrderState.COMPLETED


def test_days_without_an_attempt_do_not_count_toward_the_retry_limit(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "throttle", times=1)
    world.submit()
    world.clock.forward(days=4)
    replace_token(world)
    world.sandbox.fault("submit", "throttle", times=1)
    world.submit()

    order = world.order(number)
    assert (order.state, order.failures) == (OrderState.READY, 0)
    assert order.next_attempt_at is not None


def test_repeated_short_retry_after_is_not_honored_forever(world: World) -> None:
    world.sandbox.place_orders(count=8)
    world.poll()
    world.sandbox.fault("submit", "throttle", retry_after="0", times=None)
    for _ in range(60):
        world.clock.forward(seconds=5)
        world.probe()
        world.submit()

    assert sum(world.sandbox.posted().values()) <= 15, "three in each of five minutes"


def test_reconnecting_a_live_store_resumes_where_it_stopped(world: World) -> None:
    world.change_store(starts_at=world.clock())
    world.clock.forward(hours=5)
    number = world.sandbox.place_order(completed_at=world.clock().isoformat())
    world.clock.forward(hours=1)
    again = ("stores", "connect", "--merchant-id", str(MERCHANT), "--account-id", ACCOUNT, "--token-stdin")

    for start in ((), ("--start", "new")):
        result = world.cli(*again, *start, stdin=f"{BIGCARTEL_TOKEN}-{ACCOUNT}\n")
        assert result.exit_code == 0, result.output
    world.run()

    assert world.states() == {number: "submitted"}


def test_new_store_needs_a_choice_of_orders_to_go_live(world: World) -> None:
    result = world.cli(
        *("stores", "connect", "--merchant-id", str(MERCHANT), "--account-id", "1000009", "--token-stdin"), stdin="t\n"
    )

    assert result.exit_code == 1
    assert "Choose which orders to send" in result.output
