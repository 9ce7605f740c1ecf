"""Orders that we closed because Big Cartel or the warehouse said so open again when they say otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from portal.fulfillment.purge import purge
from portal.models import AttemptKind, Order, OrderState
from portal.models.states import ClosedBecause
from tests.fulfillment.closed_orders import check_closed, check_open, later

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def _marked(world: World) -> str:
    """Return an order that was closed because a person marked it as shipped in Big Cartel."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.ship_at_bigcartel(number)
    later(world)
    world.poll()
    check_closed(world, number, ClosedBecause.MARKED)
    return number


@pytest.mark.parametrize("found_in", ["list of updates", "sweep"])
def test_order_set_to_shipped_and_back_is_sent_once(world: World, found_in: str) -> None:
    number = _marked(world)
    is_in_updates = found_in == "list of updates"
    world.sandbox.edit_order(number, shipping_status="unshipped", touch=is_in_updates)
    later(world)

    polled = world.poll() if is_in_updates else world.sweep()

    assert (polled.reopened, polled.released) == (1, 1)
    check_open(world, number, OrderState.READY)
    for _ in range(2):
        later(world)
        world.run()
    world.sweep()
    assert world.sandbox.posted() == {number: 1}
    check_open(world, number, OrderState.SUBMITTED)


def test_reopened_order_is_assessed_like_a_new_one(world: World) -> None:
    number = _marked(world)
    world.sandbox.edit_order(number, shipping_status="unshipped", payment_status="unpaid")
    later(world)

    polled = world.poll()

    assert (polled.reopened, polled.released) == (1, 0)
    check_open(world, number, OrderState.HELD)
    assert world.reasons(number) == {"payment_not_completed"}
    world.sandbox.edit_order(number, payment_status="completed")
    later(world)
    world.run()
    assert world.sandbox.posted() == {number: 1}


def test_sync_says_how_many_orders_it_reopened(world: World) -> None:
    numbers = [_marked(world) for _ in range(2)]
    for number in numbers:
        world.sandbox.edit_order(number, shipping_status="unshipped")

    assert "2 released, 2 reopened" in world.cli("sync", "poll").output


def test_order_may_be_closed_and_opened_again_many_times(world: World) -> None:
    number = _marked(world)
    for _ in range(3):
        world.sandbox.edit_order(number, shipping_status="unshipped")
        later(world)
        assert world.poll().reopened == 1
        world.sandbox.ship_at_bigcartel(number)
        later(world)
        assert world.poll().closed == 1
    check_closed(world, number, ClosedBecause.MARKED)
    assert world.sandbox.posted() == {}


def test_order_gone_once_and_listed_again_is_sent_once(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.cancel_order(number, gone=True)
    world.sweep()
    check_closed(world, number, ClosedBecause.GONE)
    world.sandbox.place_order(number=number)
    later(world)

    for _ in range(2):
        world.run()
        later(world)

    assert world.sandbox.posted() == {number: 1}


def test_order_that_the_warehouse_rejected_waits_for_a_person_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "refuse", words="Invalid SKU: MUG-01")
    world.submit()
    reason = world.order(number).state_reason
    assert reason
    world.sandbox.ship_at_bigcartel(number)
    later(world)
    world.poll()
    check_closed(world, number, ClosedBecause.MARKED)
    world.sandbox.edit_order(number, shipping_status="unshipped")
    later(world)

    world.run()

    check_open(world, number, OrderState.REJECTED, reason)
    assert len(world.attempts(number, AttemptKind.SUBMIT)) == 1
    assert world.sandbox.posted() == {}


@pytest.mark.parametrize("because", [ClosedBecause.PERSON, None])
def test_what_a_person_closed_stays_closed(world: World, because: ClosedBecause | None) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.cli("orders", "close", number, "--reason", "gift")
    check_closed(world, number, ClosedBecause.PERSON)
    with world.session() as session:
        session.execute(update(Order).values(closed_because=because))
        session.commit()
    for status in ("shipped", "unshipped"):
        world.sandbox.edit_order(number, shipping_status=status)
        later(world)
        world.run()
    assert world.sweep().reopened == 0
    world.run()

    assert world.order(number).closed_because is because
    assert world.states() == {number: "closed"}
    assert world.sandbox.posted() == {}


def test_retry_of_a_closed_order_clears_why_it_was_closed(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.cli("orders", "close", number, "--reason", "gift")

    assert world.cli("orders", "retry", number).exit_code == 0

    check_open(world, number, OrderState.READY)


def test_purged_order_that_is_back_has_its_new_document(world: World) -> None:
    number = _marked(world)
    with world.session() as session:
        assert sum(purge(session, days=0, now=world.clock() + timedelta(days=1))) == 1
    assert world.order(number).purged_at is not None
    world.sandbox.edit_order(number, shipping_status="unshipped", shipping_address_1="2 New Street")
    later(world)

    world.run()

    assert world.order(number).purged_at is None
    assert world.sandbox.received()[number]["address"]["Address1"] == "2 New Street"
    assert world.sandbox.posted() == {number: 1}


def test_shipped_order_that_was_gone_is_marked_when_it_is_back(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.sandbox.cancel_order(number, gone=True)
    later(world)
    world.track()
    check_closed(world, number, ClosedBecause.SHIPPED_BUT_GONE)
    world.sandbox.place_order(number=number)
    later(world)

    assert world.poll().reopened == 1
    check_open(world, number, OrderState.SHIPPED)
    world.track()

    assert world.states() == {number: "completed"}
    assert world.sandbox.shipping_statuses()[number] == "shipped"
    assert world.sandbox.posted() == {number: 1}


def test_shipped_order_that_left_the_list_is_closed_as_shipped(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.sandbox.fault("patch", "status", times=None)
    world.track()
    with world.session() as session:
        session.execute(update(Order).values(next_attempt_at=None))
        session.commit()
    world.sandbox.cancel_order(number, gone=True)

    world.sweep()

    check_closed(world, number, ClosedBecause.SHIPPED_BUT_GONE)


# The warehouse
