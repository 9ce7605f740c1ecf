"""An order whose own page says unshipped is sent only if Big Cartel's list of unshipped orders names it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from portal.actions.orders import release
from portal.fulfillment.run_context import ON_SCHEDULE
from portal.models import Order, OrderState
from tests.fulfillment.closed_orders import later
from tests.fulfillment.world import BY_PERSON

if TYPE_CHECKING:
    from tests.fulfillment.world import World

NOT_LISTED = {"not_listed"}


def _place_earlier(world: World) -> str:
    """Place an order that was last updated in an earlier second than what happens to it next."""
    moment = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    return world.sandbox.place_order(created_at=moment)


def _held_as_unlisted(world: World) -> str:
    """Return an order that was canceled before it was sent, so only its own page still says unshipped."""
    number = _place_earlier(world)
    world.poll()
    world.sandbox.cancel_order(number, unlisted=True)
    later(world)
    world.run()
    assert (world.order(number).state, world.reasons(number)) == (OrderState.HELD, NOT_LISTED)
    return number


def test_new_order_that_only_the_list_of_updates_names_is_held(world: World) -> None:
    other = world.sandbox.place_order()
    world.run()
    number = world.sandbox.place_order()
    world.sandbox.cancel_order(number, unlisted=True)
    for _ in range(3):
        later(world)
        world.run()
    world.sweep()
    world.submit()
    assert (world.order(number).state, world.reasons(number)) == (OrderState.HELD, NOT_LISTED)
    assert world.sandbox.posted() == {other: 1}


def test_order_that_leaves_the_list_is_held(world: World) -> None:
    number = _held_as_unlisted(world)
    assert world.sandbox.posted() == {}
    assert world.order(number).unlisted_since is not None


def test_order_that_vanishes_from_the_list_without_an_update_is_held_at_the_sweep(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    updated_at = world.sandbox.orders()[number]["updated_at"]
    world.sandbox.cancel_order(number, unlisted=True)
    world.sandbox.edit_order(number, updated_at=updated_at, touch=False)
    world.sweep()
    world.submit()
    assert (world.order(number).state, world.reasons(number)) == (OrderState.HELD, NOT_LISTED)
    assert world.sandbox.posted() == {}


def test_vanished_order_that_cannot_be_read_is_held(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.cancel_order(number, unlisted=True)
    world.sandbox.fault("order", "status", status=500, times=20)
    world.sweep()
    assert (world.order(number).state, world.reasons(number)) == (OrderState.HELD, NOT_LISTED)


@pytest.mark.parametrize("how", ["next poll", "sweep", "sync by a person"])
def test_order_is_sent_once_the_list_names_it_again(world: World, how: str) -> None:
    number = _held_as_unlisted(world)
    if how != "next poll":
        world.clock.forward(minutes=20)
        world.poll()
        assert world.reasons(number) == NOT_LISTED
    world.sandbox.relist_order(number)
    if how == "sweep":
        world.sweep()
    else:
        world.poll(context=BY_PERSON if how == "sync by a person" else ON_SCHEDULE)
    world.submit()
    assert world.sandbox.posted() == {number: 1}
    assert world.order(number).unlisted_since is None


def test_person_may_send_it_anyway(world: World) -> None:
    number = _held_as_unlisted(world)
    with world.session() as session:
        order = session.get_one(Order, world.order(number).id)
        assert release(session, order, actor="tests", reason="", now=world.clock()).done
    world.submit()
    assert world.sandbox.posted() == {number: 1}


def test_unconfirmed_order_that_left_the_list_is_not_sent_again(world: World) -> None:
    number = _place_earlier(world)
    world.poll()
    world.sandbox.fault("submit", "cut_after")
    world.sandbox.fault("status", "html", times=None)
    world.submit()
    assert world.order(number).state is OrderState.UNCONFIRMED
    world.sandbox.cancel_order(number, unlisted=True)
    world.sandbox.forget(number)
    world.sandbox.clear_faults()
    later(world)
    for _ in range(4):
        world.run()
        world.clock.forward(minutes=2)
    assert (world.order(number).state, world.reasons(number)) == (OrderState.HELD, NOT_LISTED)


def test_list_is_asked_only_if_something_is_new(world: World) -> None:
    def lists_read() -> int:
        calls = world.sandbox.calls("bigcartel")
        return sum(number for call, number in calls.items() if call.endswith("/orders"))

    _place_earlier(world)
    world.poll()
    world.poll()
    world.sandbox.clear_calls()
    for _ in range(3):
        world.poll()
    assert lists_read() == 3
    world.sandbox.place_order()
    world.poll()
    assert lists_read() == 5
    world.poll()
    assert lists_read() == 6
