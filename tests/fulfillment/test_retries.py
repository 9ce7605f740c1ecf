"""Retries by a person: what they send, and what they don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.actions import orders
from portal.actions.orders import Action
from portal.clients.bigcartel import BigCartel
from portal.fulfillment.reread import reread_orders
from portal.fulfillment.run_context import RunContext
from portal.models import Order, OrderState, SkuOverride, Store
from tests.fulfillment.world import ACCOUNT

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def test_retry_sends_the_sku_in_the_current_description(world: World) -> None:
    """The warehouse rejected the carrier service; the merchant also changes the SKU before retrying."""
    world.sandbox.fault("submit", "refuse", words="Invalid ShippingMethod", times=1)
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.patch_product("1", description="A plain mug.\n\nSKU:MUG-NEW")
    world.clock.forward(minutes=6)
    world.poll()
    with world.session() as session:
        order = session.scalars(select(Order)).one()
        fresh = reread_orders(session, [order], world.settings, RunContext(clock=world.clock))
        done = orders.act(
            session,
            order,
            Action.RETRY,
            is_fresh=order.id in fresh,
            actor="owner",
            reason="",
            now=world.clock(),
        )
    assert done.done, done.sentence
    world.submit()

    assert world.sandbox.received()[number]["items"] == [{"sku": "MUG-NEW", "quantity": 1}]


def _given_up(world: World) -> str:
    """Return the number of a shipped order that we failed to mark in Big Cartel for 72 hours."""
    number: str = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.sandbox.fault("patch", "status", status=402, times=None)
    while (order := world.order(number)).state is not OrderState.SHIPPED or order.next_attempt_at is not None:
        world.clock.forward(minutes=61)
        world.track()
    world.sandbox.clear_faults()
    return number


def test_order_that_a_person_marked_as_shipped_is_complete(world: World) -> None:
    number = _given_up(world)
    world.sandbox.ship_at_bigcartel(number)
    world.poll()

    assert world.order(number).state is OrderState.COMPLETED


def test_retry_marks_a_shipped_order_in_big_cartel(world: World) -> None:
    number = _given_up(world)

    assert world.cli("orders", "retry", number).exit_code == 0
    world.track()

    assert world.order(number).state is OrderState.COMPLETED
    assert world.sandbox.shipping_statuses(ACCOUNT)[number] == "shipped"


def test_retry_sends_a_lost_order_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.forget(number)
    world.clock.forward(minutes=10)
    world.track()
    assert "can't find it anymore" in world.cli("orders", "show", number).output

    assert world.cli("orders", "retry", number).exit_code == 0
    assert world.order(number).state is OrderState.UNCONFIRMED
    world.submit()
    world.clock.forward(minutes=2)
    world.submit()

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.accepted() == {number: 2}, "once before it was lost, once after"


def test_order_that_only_seemed_lost_is_not_sent_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    with world.session() as session:
        session.scalars(select(Order)).one().fcp_missing_since = world.clock()
        session.commit()

    assert world.cli("orders", "retry", number).exit_code == 0
    world.submit()

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.posted() == {number: 1}


def test_lost_order_can_be_closed(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.forget(number)
    world.clock.forward(minutes=10)
    world.track()

    assert world.cli("orders", "close", number, "--reason", "shipped from home").exit_code == 0
    assert world.order(number).state is OrderState.CLOSED


def test_unmarked_order_that_is_canceled_in_big_cartel_is_not_complete(world: World) -> None:
    number = _given_up(world)
    world.sandbox.cancel_order(number)
    world.sweep()

    assert world.order(number).state is OrderState.SHIPPED


@pytest.mark.parametrize("is_lost", [True, False])
def test_retry_does_not_send_what_big_cartel_shows_as_shipped(world: World, *, is_lost: bool) -> None:
    number = world.sandbox.place_order()
    if is_lost:
        world.run()
        world.sandbox.forget(number)
        world.clock.forward(minutes=10)
        world.track()
    else:
        world.poll()
        world.cli("orders", "close", number, "--reason", "shipped from home")
    world.sandbox.ship_at_bigcartel(number)

    result = world.cli("orders", "retry", number)

    assert result.exit_code == 1
    assert "Big Cartel shows it as shipped" in result.output
    world.run_until_settled()
    assert world.sandbox.posted() == ({number: 1} if is_lost else {})


def test_retry_with_a_sku_override_needs_no_description(world: World) -> None:
    world.sandbox.fault("submit", "refuse", words="Invalid SKU", times=1)
    number = world.sandbox.place_order()
    world.run()
    with world.session() as session:
        store = session.scalars(select(Store)).one()
        session.add(
            SkuOverride(
                store_id=store.id, product_id="1", option_id="", sku="OVERRIDE", set_by="owner", set_at=world.clock()
            )
        )
        store.products_changed_at = world.clock()
        session.commit()
    world.sandbox.fault("product", "status", status=403, times=None)
    world.sandbox.fault("products", "status", status=403, times=None)

    retried = world.cli("orders", "retry", number)
    world.submit()

    assert retried.exit_code == 0, retried.output
    assert world.sandbox.received()[number]["items"] == [{"sku": "OVERRIDE", "quantity": 1}]


def test_retry_of_many_orders_limits_the_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders that can't be re-read in time are left unchanged."""
    world.sandbox.fault("submit", "refuse", words="Invalid SKU", times=5)
    numbers = world.sandbox.place_orders(count=5)
    world.run()
    real = BigCartel.order

    def order(self: BigCartel, number: str) -> Any:
        world.clock.forward(seconds=8)
        return real(self, number)

    monkeypatch.setattr(BigCartel, "order", order)
    with world.session() as session:
        rejected = session.scalars(select(Order).where(Order.number.in_(numbers))).all()
        assert len(reread_orders(session, rejected, world.settings, RunContext(clock=world.clock))) == 3
