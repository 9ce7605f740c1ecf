"""Polls of a store that changes: edited orders, orders shipped or deleted in Big Cartel, lists that shrink."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.bigcartel import BigCartel
from portal.fulfillment.run_context import RunContext
from portal.models import OrderState, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.clients.bigcartel import OrderPage
    from tests.fulfillment.world import World


def test_address_fixed_before_sending_is_the_one_sent(world: World) -> None:
    number = world.sandbox.place_order(address_1="1 Old Street")
    world.poll()
    assert world.states() == {number: "ready"}

    world.sandbox.edit_order(number, shipping_address_1="2 New Street")
    world.run()

    assert world.sandbox.received()[number]["address"]["Address1"] == "2 New Street"


def test_order_edited_while_others_are_sent_gets_the_new_address(world: World) -> None:
    first, second = world.sandbox.place_orders([{"address_1": "1 Old Street"}, {"address_1": "1 Old Street"}])
    world.poll()
    world.sandbox.fault("submit", "latency", order=first, seconds=30)
    submission = threading.Thread(target=world.submit)
    submission.start()
    try:
        world.sandbox.wait_until_waiting()
        world.sandbox.edit_order(second, shipping_address_1="2 New Street")
        world.poll()
    finally:
        world.sandbox.release()
        submission.join(20)
    world.run()

    sent = world.sandbox.received()
    assert sent[second]["address"]["Address1"] == "2 New Street"
    assert world.sandbox.accepted() == {first: 1, second: 1}


def test_order_shipped_in_big_cartel_before_sending_is_closed(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.ship_at_bigcartel(number)

    world.run()

    assert world.states() == {number: "closed"}
    assert world.sandbox.posted() == {}
    assert "Marked as shipped in Big Cartel" in world.cli("orders", "show", number).output


def test_retry_does_not_send_an_order_shipped_in_big_cartel(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.ship_at_bigcartel(number)
    world.poll()

    world.cli("orders", "retry", number)
    world.run()

    assert world.sandbox.posted() == {}


@pytest.mark.parametrize("state", ["held", "ready", "rejected"])
def test_order_deleted_in_big_cartel_is_closed_by_the_next_sweep(world: World, state: str) -> None:
    number = world.sandbox.place_order(payment_status="unpaid" if state == "held" else "completed")
    world.poll()
    if state == "rejected":
        world.sandbox.fault("submit", "refuse", words="Invalid SKU: MUG-01")
        world.submit()
    assert world.states() == {number: state}
    world.sandbox.cancel_order(number, gone=True)

    polled = world.sweep()

    assert polled.closed == 1
    assert world.states() == {number: "closed"}
    world.run()
    assert world.sandbox.accepted() == {}


def test_order_already_shipped_when_first_seen_is_ignored(world: World) -> None:
    world.sandbox.place_order(shipping_status="shipped")
    unshipped = world.sandbox.place_order()

    world.run()
    world.run()

    assert world.states() == {unshipped: "submitted"}


def test_list_that_shrinks_while_it_is_read_hides_no_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = world.sandbox.place_orders(
        [{"created_at": f"2026-01-01T00:{minute:02}:{second:02}.000Z"} for minute in range(6) for second in range(20)]
    )
    real = BigCartel.order_pages
    shipped_meanwhile = iter(numbers[:10])

    def pages(self: BigCartel, **wanted: Any) -> Iterator[OrderPage]:
        for page in real(self, **wanted):
            yield page
            for number in shipped_meanwhile:
                world.sandbox.ship_at_bigcartel(number)

    monkeypatch.setattr(BigCartel, "order_pages", pages)

    world.run()

    assert set(world.sandbox.accepted()) == set(numbers[10:])


def test_list_that_keeps_shrinking_is_not_read_forever(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = sqlite_world
    numbers = world.sandbox.place_orders(count=120)
    real = BigCartel.order_pages
    shipped_meanwhile = iter(numbers)

    def pages(self: BigCartel, **wanted: Any) -> Iterator[OrderPage]:
        for page in real(self, **wanted):
            yield page
            world.sandbox.ship_at_bigcartel(next(shipped_meanwhile))

    monkeypatch.setattr(BigCartel, "order_pages", pages)

    polled = world.poll()

    assert polled.problem == ""
    assert len(world.states()) >= 110


def test_html_answer_delays_the_next_poll_and_loses_no_order(world: World) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("orders", "html")

    polled = world.poll(context=RunContext(trigger=Trigger.SCHEDULE))

    assert "Big Cartel" in polled.problem
    assert world.store().poll_error == polled.problem
    next_poll = world.store().next_poll_at
    assert next_poll is not None
    assert next_poll > world.clock()
    world.run()
    assert world.sandbox.accepted() == {number: 1}
    assert world.store().poll_error == ""


def test_poll_waits_as_long_as_big_cartel_asks(sqlite_world: World) -> None:
    sqlite_world.sandbox.fault("orders", "throttle", retry_after="1800")

    sqlite_world.poll()

    next_poll = sqlite_world.store().next_poll_at
    assert next_poll is not None
    assert 1700 < (next_poll - sqlite_world.clock()).total_seconds() <= 1800


def test_order_edited_after_it_was_sent_is_not_sent_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    changes: list[dict[str, Any]] = [
        {"shipping_address_1": "9 Other Street"},
        {"payment_status": "pending"},
        {"customer_note": "x"},
    ]
    for change in changes:
        world.sandbox.edit_order(number, **change)
        world.clock.forward(minutes=1)
        world.run()
    world.sweep()
    world.run()

    assert world.sandbox.posted() == {number: 1}
    assert world.order(number).state is OrderState.SUBMITTED
