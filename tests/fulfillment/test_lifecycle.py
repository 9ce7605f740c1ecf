"""An order from start to finish: synced, sent once, shipped by the warehouse, marked in Big Cartel once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.fulfillment.run_context import RunContext
from portal.models import AttemptKind, AttemptOutcome, Trigger

if TYPE_CHECKING:
    from tests.fulfillment.world import World

LIST = "GET /v1/accounts/{account}/orders"


def test_two_hundred_and_fifty_new_orders_are_sent_once(world: World) -> None:
    numbers = world.sandbox.place_orders(count=250, abroad=True)

    first = world.cli("sync", "all")
    second = world.cli("sync", "all")

    assert first.exit_code == 0, first.output
    assert "250 orders synced, 250 new" in first.output
    assert "250 orders sent" in first.output
    assert second.exit_code == 0, second.output
    assert "0 orders sent" in second.output
    assert world.sandbox.posted() == dict.fromkeys(numbers, 1)
    assert set(world.states().values()) == {"submitted"}
    received = world.sandbox.received()
    methods = {(order["address"]["Country"] == "US", order["shipping_method"]) for order in received.values()}
    assert methods == {(True, "USPS_MEDIA"), (False, "EPGEPACKT")}


def test_each_shipped_order_is_marked_once(world: World) -> None:
    numbers = world.sandbox.place_orders(count=12)
    world.run()
    assert world.sandbox.patches() == {}

    shipped = world.sandbox.ship(numbers[:7])
    for _ in range(3):
        assert world.cli("sync", "track").exit_code == 0

    assert world.sandbox.patches() == dict.fromkeys(shipped, 1)
    assert {number for number, status in world.sandbox.shipping_statuses().items() if status == "shipped"} == set(
        shipped
    )
    done = world.order(shipped[0])
    assert (done.state, done.carrier) == ("completed", "USPS")
    assert done.tracking_numbers
    assert done.completed_at is not None

    world.sandbox.ship_all()
    world.clock.forward(minutes=90)
    world.run()
    world.run()

    assert world.sandbox.patches() == dict.fromkeys(numbers, 1)
    assert set(world.states().values()) == {"completed"}


def test_warehouse_gets_the_address_service_and_merged_items(world: World) -> None:
    world.sandbox.put_product("7", name="Tee", description="<p>Soft.</p><p>SKU:TEE-</p>", options=["SMALL", "LARGE"])
    number = world.sandbox.place_order(
        first_name="Ada",
        last_name="Müller",
        address_1="1 <Rue> & Co",
        city="Springfield",
        state="Illinois",
        zip="62701",
        items=[
            {"product": "7", "option": "LARGE", "quantity": 2},
            {"product": "1"},
            {"product": "7", "option": "LARGE"},
        ],
    )

    world.run()

    sent = world.sandbox.received()[number]
    assert sent["shipping_method"] == "USPS_MEDIA"
    assert sent["address"]["Address1"] == "1 <Rue> & Co"
    assert sent["address"]["LastName"] == "Müller"
    assert sent["address"]["State"] == "IL"
    assert sorted((item["sku"], item["quantity"]) for item in sent["items"]) == [("MUG-01", 1), ("TEE-LARGE", 3)]


@pytest.mark.parametrize("open_orders", [0, 2000])
def test_idle_poll_takes_one_call(world: World, open_orders: int) -> None:
    if open_orders:
        world.sandbox.place_orders(count=open_orders)
        world.poll()
    world.poll()
    world.sandbox.clear_calls()

    for _ in range(3):
        world.clock.forward(minutes=1)
        polled = world.poll()
        assert (polled.new, polled.released, polled.closed) == (0, 0, 0)

    assert world.sandbox.calls() == {LIST: 3}
    assert len(world.states()) == open_orders


def test_order_placed_later_is_found_at_the_next_poll(world: World) -> None:
    world.sandbox.place_orders(count=60)
    world.run()
    world.poll()

    late = world.sandbox.place_order()
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.accepted()[late] == 1
    assert len(world.sandbox.accepted()) == 61


def test_attempt_records_its_trigger_request_and_answer(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.submit(context=RunContext(trigger=Trigger.PERSON))

    (attempt,) = world.attempts(number)
    assert (attempt.kind, attempt.trigger, attempt.outcome) == (
        AttemptKind.SUBMIT,
        Trigger.PERSON,
        AttemptOutcome.DONE,
    )
    assert attempt.http_status == 200
    assert attempt.finished_at is not None
    assert attempt.finished_at >= attempt.started_at
    assert number in attempt.request
    assert "<Status>Success</Status>" in attempt.answer
    assert world.order(number).fcp_order_id in attempt.explanation


def test_several_tracking_numbers_in_one_element_are_split(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship([number], tracking=["9400A", "9400B", "9400A"], joined=True, carrier="USPS")

    world.run()

    assert world.order(number).tracking_numbers == ["9400A", "9400B"]
    shown = world.cli("orders", "show", number).output
    assert "9400A, 9400B" in shown


def test_order_canceled_at_the_warehouse_is_closed_and_never_marked(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.set_status(number, "Cancelled")

    world.run()
    world.run()

    assert world.states() == {number: "closed"}
    assert world.sandbox.patches() == {}
    assert "Canceled at the warehouse" in world.cli("orders", "show", number).output


def test_lost_order_is_reported_and_not_sent_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.clock.forward(minutes=-10)
    world.run()
    world.sandbox.forget(number)

    world.clock.forward(minutes=10)
    world.run()
    tracked = world.cli("sync", "track")

    assert tracked.exit_code == 1
    assert "1 that the warehouse no longer has" in tracked.output
    assert world.sandbox.posted() == {number: 1}
    assert "can't find it anymore" in world.cli("orders", "show", number).output
