"""A release covers what a person saw: the same reason with something else holds the order again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.actions.orders import Action, act
from portal.models import Order, OrderState
from tests.fulfillment.closed_orders import later

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def _act(world: World, number: str, action: Action) -> bool:
    with world.session() as session:
        order = session.get_one(Order, world.order(number).id)
        return act(session, order, action, is_fresh=True, actor="tests", reason="", now=world.clock()).done


def test_released_order_is_held_again_for_another_sign_of_the_same_kind(world: World) -> None:
    world.change_merchant(paused=True)
    number = world.sandbox.place_order(attributes={"refund_total": "1.0"})
    world.poll()
    assert world.reasons(number) == {"canceled_or_refunded", "paused"}
    assert _act(world, number, Action.RELEASE)
    assert world.reasons(number) == {"paused"}

    world.sandbox.edit_order(number, cancelled_at="2026-11-20T10:00:00Z")
    later(world)
    world.change_merchant(paused=False)
    world.run()

    assert world.reasons(number) == {"canceled_or_refunded"}
    assert world.sandbox.posted() == {}
    assert _act(world, number, Action.RELEASE)
    world.submit()
    assert world.sandbox.posted() == {number: 1}


def test_release_of_one_reason_does_not_cover_another(world: World) -> None:
    number = world.sandbox.place_order(labels=["Local pickup"])
    world.poll()
    assert _act(world, number, Action.RELEASE)
    assert world.order(number).state is OrderState.READY

    world.sandbox.edit_order(number, canceled=True)
    later(world)
    world.run()

    assert world.reasons(number) == {"canceled_or_refunded"}
    assert world.sandbox.posted() == {}


def test_release_by_an_older_version_covers_only_pickups(world: World) -> None:
    pickup = world.sandbox.place_order(labels=["Local pickup"])
    canceled = world.sandbox.place_order(attributes={"canceled": True})
    world.poll()
    for number in (pickup, canceled):
        world.change_order(number, released_holds=[{"reason": "local_pickup", "detail": ""}])
    world.change_merchant()
    later(world)

    world.run()

    assert world.sandbox.posted() == {pickup: 1}
    assert world.reasons(canceled) == {"canceled_or_refunded"}


def test_retry_releases_nothing(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "refuse", words="Invalid SKU: MUG-01", times=1)
    world.submit()
    assert world.order(number).state is OrderState.REJECTED
    world.sandbox.edit_order(number, canceled=True)
    later(world)
    world.poll()

    assert _act(world, number, Action.RETRY)

    assert (world.order(number).state, world.reasons(number)) == (OrderState.HELD, {"canceled_or_refunded"})
