"""The product cache: few calls, yet always up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.fulfillment.products import refresh_products
from portal.fulfillment.run_context import RunContext
from portal.models import Product
from tests.fulfillment.world import BIGCARTEL_TOKEN

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.fixture
def world(sqlite_world: World) -> World:
    """SQLite only: the database makes no difference here."""
    return sqlite_world


ACCOUNT = "GET /v1/accounts/{account}"
ONE, LIST = "GET /v1/accounts/{account}/products/{product}", "GET /v1/accounts/{account}/products"


def test_product_is_fetched_once_for_many_orders(world: World) -> None:
    world.sandbox.place_orders(count=30)
    world.run()
    calls = world.sandbox.calls("bigcartel")

    assert calls[ONE] == 1
    assert LIST not in calls

    world.sandbox.place_orders(count=5)
    world.clock.forward(minutes=1)
    world.run()
    assert world.sandbox.calls("bigcartel")[ONE] == 1


def test_many_new_products_are_read_from_the_list(world: World) -> None:
    for number in range(2, 62):
        world.sandbox.put_product(str(number), name=f"Product {number}", description=f"SKU:P-{number}")
    numbers = world.sandbox.place_orders([{"items": [{"product": str(number)}]} for number in range(2, 62)])

    world.run()

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    calls = world.sandbox.calls("bigcartel")
    assert calls[LIST] == 2
    assert ONE not in calls


def test_changed_description_applies_to_later_orders(world: World) -> None:
    world.sandbox.place_order()
    world.run()
    world.sandbox.patch_product("1", description="SKU:MUG-02")
    late = world.sandbox.place_order()
    world.clock.forward(minutes=6)

    world.run()

    assert world.sandbox.received()[late]["items"] == [{"sku": "MUG-02", "quantity": 1}]


def test_unreadable_product_holds_only_its_own_orders(world: World) -> None:
    world.sandbox.put_product("2", name="Odd", description="SKU:ODD")
    odd = world.sandbox.place_order(items=[{"product": "2"}])
    good = world.sandbox.place_order()
    world.sandbox.fault("product", "html", times=1)

    world.run()
    states = world.states()
    assert sorted(states.values()) == ["held", "submitted"]

    world.clock.forward(minutes=1)
    world.run()
    assert world.sandbox.accepted() == {odd: 1, good: 1}


@pytest.mark.parametrize("zone", ["Pacific Time (US & Canada)", "America/Los_Angeles", "Atlantis", None])
def test_refresh_reads_the_stores_time_zone_and_follows_its_changes(world: World, zone: str | None) -> None:
    """A store connected before the portal knew time zones gets its own with the next refresh."""
    world.change_store(name="Example Shop", time_zone="", products_refreshed_at=world.clock())
    store_id = world.store().id
    with world.session() as session:
        assert refresh_products(session, store_id, world.settings, RunContext(clock=world.clock)) == ""
    assert world.store().time_zone == "Eastern Time (US & Canada)"
    world.sandbox.put_account("1000001", tokens=[f"{BIGCARTEL_TOKEN}-1000001"], time_zone=zone)
    world.clock.forward(days=1)
    with world.session() as session:
        assert refresh_products(session, store_id, world.settings, RunContext(clock=world.clock)) == ""
    assert world.store().time_zone == (zone or "Eastern Time (US & Canada)")


def test_refresh_reads_every_product_and_the_account_once(world: World) -> None:
    for number in range(2, 120):
        world.sandbox.put_product(str(number), name=f"Product {number}", description=f"SKU:P-{number}")
    store_id = world.store().id

    with world.session() as session:
        problem = refresh_products(session, store_id, world.settings, RunContext(clock=world.clock))
        assert problem == ""
        assert len(session.scalars(select(Product.id)).all()) == 119
        assert refresh_products(session, store_id, world.settings, RunContext(clock=world.clock)) == ""
    assert world.store().title == "Example Shop"
    assert world.sandbox.calls("bigcartel") == {LIST: 6, ACCOUNT: 1}


@pytest.mark.parametrize("kind", ["html", "status", "unauthorized", "truncate"])
def test_failed_refresh_returns_the_problem(world: World, kind: str) -> None:
    world.sandbox.fault("products", kind, times=3)
    store_id = world.store().id

    with world.session() as session:
        problem = refresh_products(session, store_id, world.settings, RunContext(clock=world.clock))

    assert "Big Cartel" in problem
    assert (world.store().reconnect_needed_at is not None) == (kind == "unauthorized")
