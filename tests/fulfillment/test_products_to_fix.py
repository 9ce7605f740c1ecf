"""Products whose fix releases orders on hold: refetched until they are fixed, without reading the orders each time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite

from portal.clients.bigcartel import read_stored
from portal.fulfillment.poll import assess, products_to_fix
from portal.fulfillment.products import refresh_products
from portal.fulfillment.rulebook import stored_hold
from portal.fulfillment.run_context import RunContext
from portal.models import ProductToFix

if TYPE_CHECKING:
    import pytest

    from tests.fulfillment.world import World

NO_SKU, WITH_SKU = "A plain mug.", "A plain mug.\n\nSKU:MUG-01"


def _describe(world: World, description: str, product: str = "1") -> None:
    world.sandbox.put_product(product, name="Plain Mug", description=description)


def _later(world: World) -> None:
    world.clock.forward(minutes=2)


def _product_calls(world: World) -> int:
    """Return the number of single products read since the last time."""
    calls = world.sandbox.calls("bigcartel")
    world.sandbox.clear_calls()
    return sum(count for call, count in calls.items() if "/products/" in call)


def _to_fix(world: World) -> set[str]:
    with world.session() as session:
        return set(session.scalars(select(ProductToFix.product_id)))


def _held(world: World, count: int = 1) -> list[str]:
    """Return orders that have been on hold for some polls, because their product has no SKU."""
    _describe(world, NO_SKU)
    numbers = world.sandbox.place_orders(count=count)
    for _ in range(3):
        world.poll()
        _later(world)
    assert set(world.states().values()) == {"held"}
    return numbers


def test_product_is_refetched_until_it_is_fixed(world: World) -> None:
    (number,) = _held(world)
    _product_calls(world)
    world.poll()
    assert _product_calls(world) == 1

    _describe(world, WITH_SKU)
    _later(world)
    world.poll()
    assert world.states() == {number: "ready"}

    _product_calls(world)
    for _ in range(3):
        _later(world)
        world.poll()
    assert _product_calls(world) == 0
    assert _to_fix(world) == set()


def test_idle_poll_reads_no_order_on_hold(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = sqlite_world
    read: list[str] = []

    def watched(what: str, real: Any) -> Any:
        def call(stored: Any) -> Any:
            read.append(what)
            return real(stored)

        return call

    _held(world, 5)
    monkeypatch.setattr(products_to_fix, "stored_hold", watched("hold", stored_hold))
    monkeypatch.setattr(assess, "read_stored", watched("document", read_stored))

    for _ in range(3):
        world.poll()
        _later(world)
    assert read == []

    world.change_merchant(submit_unpaid=True)
    world.poll()
    assert read.count("document") == 5
    read.clear()
    _later(world)
    world.poll()
    assert set(read) >= {"hold"}, "all are read again: some may no longer need a product"


def test_orders_on_hold_are_found_by_index(sqlite_world: World) -> None:
    """The database uses the partial index only if the query has the index's condition, word for word."""
    with sqlite_world.session() as session:
        query = products_to_fix.held_since(1, sqlite_world.clock())
        sql = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": False})
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {sql}".replace("?", "1"))).all()
    assert ["ix_orders_held" in str(step) for step in plan] == [True]


def test_order_put_on_hold_when_it_was_to_be_sent_counts_too(world: World) -> None:
    number = world.sandbox.place_order()
    for _ in range(2):
        world.poll()
        _later(world)
    _describe(world, NO_SKU)
    with world.session() as session:
        refresh_products(session, world.store().id, world.settings, RunContext(clock=world.clock))
    world.submit()
    assert world.states() == {number: "held"}
    _describe(world, WITH_SKU)

    world.poll()

    assert world.states() == {number: "ready"}


def test_product_that_was_never_read_is_to_be_fixed(world: World) -> None:
    world.sandbox.fault("product", "html", times=None)
    world.sandbox.fault("products", "html", times=None)
    number = world.sandbox.place_order()
    world.poll()
    assert world.states() == {number: "held"}
    world.sandbox.clear_faults()
    _later(world)

    world.poll()

    assert world.states() == {number: "ready"}


def test_product_of_a_closed_order_is_refetched_until_the_next_sweep_only(world: World) -> None:
    (number,) = _held(world)
    world.sandbox.ship_at_bigcartel(number)
    world.poll()
    assert world.states() == {number: "closed"}
    assert _to_fix(world) == {"1"}

    world.sweep()
    assert _to_fix(world) == set()


def test_after_an_upgrade_every_order_on_hold_is_read_once(world: World) -> None:
    (number,) = _held(world)
    world.change_store(held_read_at=None, held_assessed_at=None)
    with world.session() as session:
        session.execute(text("DELETE FROM products_to_fix"))
        session.commit()
    world.clock.forward(minutes=5)
    _describe(world, WITH_SKU)

    world.poll()

    assert world.states() == {number: "ready"}


def test_more_products_than_one_poll_refetches_get_their_turn(world: World) -> None:
    count = products_to_fix.MAX_REFETCHED_PRODUCTS + 5
    for product in range(1, count + 1):
        _describe(world, NO_SKU, str(product))
    world.sandbox.place_orders([{"items": [{"product": str(product)}]} for product in range(1, count + 1)])
    world.poll()
    for product in range(1, count + 1):
        _describe(world, WITH_SKU, str(product))

    for _ in range(3):
        world.clock.forward(seconds=timedelta(minutes=1).total_seconds())
        world.poll()

    assert set(world.states().values()) == {"ready"}
