"""An order's history: each move that a person asks about leaves an event that says when, why and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.actions.merchants import pause_sending
from portal.actions.orders import close, release, retry
from portal.actions.overrides import set_skus
from portal.models import Merchant, Order, OrderEvent, OrderState, Product
from portal.rules.sku_by_hand import WHOLE
from tests.fulfillment.closed_orders import later
from tests.fulfillment.world import MERCHANT

if TYPE_CHECKING:
    from portal.models import StoredHold
    from tests.fulfillment.world import World

S = OrderState
OWNER = "owner@fern.example"


def _events(world: World, number: str) -> list[OrderEvent]:
    query = select(OrderEvent).join(Order, Order.id == OrderEvent.order_id).where(Order.number == number)
    with world.session() as session:
        return list(session.scalars(query.order_by(OrderEvent.id)))


def _moves(world: World, number: str) -> list[tuple[str | None, str, str, str]]:
    return [(one.from_state, one.to_state, one.reason, one.actor) for one in _events(world, number)]


def _reasons(holds: list[StoredHold]) -> list[str]:
    return [hold["reason"] for hold in holds]


def _order_without_sku(world: World) -> str:
    world.sandbox.put_product("2", name="Poster", description="A poster.")
    return world.sandbox.place_order(items=[{"product": "2"}])


def test_order_without_trouble_leaves_events_only_when_it_ships(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    assert _moves(world, number) == []
    world.sandbox.ship_all()
    world.clock.forward(minutes=10)
    world.run()
    assert _moves(world, number) == [("submitted", "shipped", "", ""), ("shipped", "completed", "", "")]


def test_hold_that_is_fixed_in_big_cartel(world: World) -> None:
    number = _order_without_sku(world)
    world.run()
    assert _moves(world, number) == [(None, "held", "", "")]
    for _ in range(3):
        world.clock.forward(minutes=20)
        world.run()
    assert len(_events(world, number)) == 1
    world.sandbox.put_product("2", name="Poster", description="A poster. SKU:POSTER-1")
    world.clock.forward(minutes=1)
    world.run()
    [held, ready] = _events(world, number)
    assert (held.at, _reasons(held.holds)) == (world.order(number).first_seen_at, ["no_sku"])
    assert (ready.from_state, ready.to_state, ready.reason, ready.actor) == (S.HELD, S.READY, "fixed in Big Cartel", "")
    assert ready.holds == []
    assert world.states()[number] == "submitted"


def test_hold_that_ends_with_a_sku_set_by_hand(world: World) -> None:
    number = _order_without_sku(world)
    world.poll()
    later(world)
    with world.session() as session:
        product = session.scalars(select(Product).where(Product.product_id == "2")).one()
        set_skus(session, product, {WHOLE: "POSTER-1"}, actor=OWNER, reason="", now=world.clock())
    world.poll()
    assert _moves(world, number)[-1] == ("held", "ready", "SKU set", OWNER)


def test_hold_that_ends_with_a_setting(world: World) -> None:
    world.change_merchant(paused=True)
    number = world.sandbox.place_order()
    world.poll()
    later(world)
    with world.session() as session:
        merchant = session.get_one(Merchant, MERCHANT)
        pause_sending(session, merchant, paused=False, actor="support@warehouse.example", reason="", now=world.clock())
    world.poll()
    assert _moves(world, number)[-1] == ("held", "ready", "sending resumed", "support@warehouse.example")


def test_order_that_changes_in_big_cartel_while_it_is_on_hold(world: World) -> None:
    number = world.sandbox.place_order(payment_status="unpaid")
    world.poll()
    later(world)
    world.sandbox.edit_order(number, shipping_city="")
    world.poll()
    later(world)
    world.sandbox.edit_order(number, shipping_city="Provo", payment_status="completed")
    world.poll()
    told = [(one.from_state, one.to_state, one.reason, _reasons(one.holds)) for one in _events(world, number)]
    assert told == [
        (None, "held", "", ["payment_not_completed"]),
        ("held", "held", "changed in Big Cartel", ["payment_not_completed", "address_incomplete"]),
        ("held", "ready", "fixed in Big Cartel", []),
    ]


def test_release_and_close_by_a_person(world: World) -> None:
    world.change_merchant(paused=True)
    number = world.sandbox.place_order(labels=["Local pickup"])
    world.poll()
    with world.session() as session:
        order = session.get_one(Order, world.order(number).id)
        assert release(session, order, actor=OWNER, reason="checked", now=world.clock()).done
        assert close(session, order, actor=OWNER, reason="the buyer gave up", now=world.clock()).done
    assert _moves(world, number)[1:] == [
        ("held", "held", "released", OWNER),
        ("held", "closed", "the buyer gave up", OWNER),
    ]
    assert _reasons(_events(world, number)[1].holds) == ["paused"]


def test_rejected_order_that_a_person_retries(world: World) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse", words="Invalid SKU: MUG-01", order=number)
    world.run()
    with world.session() as session:
        order = session.get_one(Order, world.order(number).id)
        assert retry(session, order, is_fresh=True, actor=OWNER, reason="", now=world.clock()).done
    world.run()
    assert _moves(world, number) == [
        ("submitting", "rejected", "", ""),
        ("rejected", "held", "retried", OWNER),
        ("held", "ready", "retried", OWNER),
    ]
    assert world.states()[number] == "submitted"


def test_order_closed_in_big_cartel_and_reopened(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.ship_at_bigcartel(number)
    later(world)
    world.poll()
    world.sandbox.edit_order(number, shipping_status="unshipped")
    later(world)
    world.poll()
    assert _moves(world, number) == [
        ("ready", "closed", "Marked as shipped in Big Cartel.", ""),
        ("closed", "held", "unshipped in Big Cartel again", ""),
        ("held", "ready", "", ""),
    ]


def test_unconfirmed_orders_that_are_settled(world: World) -> None:
    there, missing = world.sandbox.place_order(), world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "cut_after", order=there)
    world.sandbox.fault("submit", "reset_before", order=missing)
    world.submit()
    world.run_until_settled(3)
    assert _moves(world, there) == [
        ("submitting", "unconfirmed", "", ""),
        ("unconfirmed", "submitted", "found at the warehouse", ""),
    ]
    assert _moves(world, missing) == [
        ("submitting", "unconfirmed", "", ""),
        ("unconfirmed", "ready", "not at the warehouse, so we send it again", ""),
    ]


def test_order_canceled_at_the_warehouse_and_taken_up_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    for status in ("Cancelled", "In Process"):
        world.sandbox.set_status(number, status)
        later(world)
        world.track()
    assert _moves(world, number) == [
        ("submitted", "closed", "Canceled at the warehouse.", ""),
        ("closed", "submitted", "no longer canceled at the warehouse", ""),
    ]
