"""Orders on hold because of a setting or a choice, and what releases them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.fulfillment.run_context import RunContext
from portal.models import SkuOverride, Store

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.mark.parametrize(
    ("rule", "reason"), [({"paused": True}, "paused"), ({"test_mode": True}, "test_mode")], ids=["paused", "test mode"]
)
def test_pause_and_test_mode_hold_orders_until_turned_off(world: World, rule: dict[str, bool], reason: str) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.change_merchant(**rule)
    late = world.sandbox.place_order()
    world.clock.forward(minutes=1)

    world.run()
    assert world.reasons(number) == world.reasons(late) == {reason}
    assert world.sandbox.posted() == {}

    world.change_merchant(**dict.fromkeys(rule, False))
    world.run()
    assert world.sandbox.accepted() == {number: 1, late: 1}


def test_unpaid_orders_are_sent_if_the_merchant_chooses(world: World) -> None:
    unpaid = world.sandbox.place_order(payment_status="unpaid")
    failed = world.sandbox.place_order(payment_status="failed")
    world.run()

    world.change_merchant(submit_unpaid=True)
    world.run()

    assert world.states() == {unpaid: "submitted", failed: "held"}


def test_items_without_a_sku_are_left_out_if_the_merchant_chooses(world: World) -> None:
    world.sandbox.put_product("2", name="Card", description="We ship this one ourselves.")
    mixed = world.sandbox.place_order(items=[{"product": "1"}, {"product": "2", "quantity": 2}])
    none = world.sandbox.place_order(items=[{"product": "2"}])
    world.run()
    assert world.reasons(mixed) == world.reasons(none) == {"no_sku"}

    world.change_merchant(ignore_items_without_sku=True)
    world.run()

    assert world.sandbox.received()[mixed]["items"] == [{"sku": "MUG-01", "quantity": 1}]
    assert world.reasons(none) == {"nothing_to_ship"}
    assert "left out" in world.cli("orders", "show", mixed).output


def test_orders_placed_before_the_start_date_are_on_hold(world: World) -> None:
    now = world.clock()
    world.change_store(starts_at=now - timedelta(days=1))
    old = world.sandbox.place_order(created_at=f"{now - timedelta(days=2):%Y-%m-%dT%H:%M:%S}.000Z")
    new = world.sandbox.place_order()
    world.run()
    assert world.states() == {old: "held", new: "submitted"}
    assert world.reasons(old) == {"before_start"}

    world.change_store(starts_at=now - timedelta(days=3))
    world.run()
    assert world.sandbox.accepted() == {new: 1, old: 1}


def test_store_that_is_not_live_sends_nothing(world: World) -> None:
    world.change_store(live=False)
    number = world.sandbox.place_order()

    world.run()

    assert world.reasons(number) == {"not_live"}
    assert "not live yet" in world.cli("orders", "show", number).output
    assert world.sandbox.posted() == {}


def test_retry_releases_an_order_that_only_looks_like_a_pickup(world: World) -> None:
    number = world.sandbox.place_order(labels=["Local pickup"])
    world.run()
    assert world.states() == {number: "held"}

    retried = world.cli("orders", "retry", number)
    assert retried.exit_code == 0, retried.output
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_retry_leaves_an_unpaid_order_on_hold(world: World) -> None:
    number = world.sandbox.place_order(payment_status="unpaid")
    world.run()

    retried = world.cli("orders", "retry", number)

    assert "On hold" in retried.output
    world.run()
    assert world.sandbox.posted() == {}


@pytest.mark.parametrize("whole_product", [True, False], ids=["product", "option"])
def test_sku_override_releases_the_order_and_takes_precedence(world: World, whole_product: bool) -> None:
    made = world.sandbox.put_product("7", name="Tee", description="No number.", options=["SMALL", "LARGE"])
    option_id = made["included"][1]["id"]
    number = world.sandbox.place_order(items=[{"product": "7", "option": "LARGE"}])
    world.run()
    assert world.reasons(number) == {"no_sku"}

    with world.session() as session:
        store = session.scalars(select(Store)).one()
        session.add(
            SkuOverride(
                store_id=store.id,
                product_id="7",
                option_id="" if whole_product else option_id,
                sku="OVERRIDE-" if whole_product else "OVERRIDE",
                set_by="tests",
                set_at=world.clock(),
            )
        )
        store.products_changed_at = world.clock()
        session.commit()
    world.sandbox.patch_product("7", description="SKU:FROM-STORE-")
    world.run()

    expected = "OVERRIDE-LARGE" if whole_product else "OVERRIDE"
    assert world.sandbox.received()[number]["items"] == [{"sku": expected, "quantity": 1}]
    assert "from override" in world.cli("orders", "show", number).output


def test_us_territories_follow_the_merchants_choice(sqlite_world: World) -> None:
    world = sqlite_world
    first = world.sandbox.place_order(country="PR", state="PR", zip="00901")
    world.run()
    world.change_merchant(territories_domestic=True)
    second = world.sandbox.place_order(country="PR", state="PR", zip="00901")
    world.clock.forward(minutes=1)
    world.run()

    received = world.sandbox.received()
    assert received[first]["shipping_method"] == "EPGEPACKT"
    assert received[second]["shipping_method"] == "USPS_MEDIA"


def test_pause_stops_a_submission_in_progress(world: World) -> None:
    world.sandbox.place_orders(count=160)
    world.poll()
    answered = 0

    def progress(count: int) -> None:
        nonlocal answered
        answered += count

    world.sandbox.fault("submit", "latency", seconds=30, skip=20, times=None)
    submission = threading.Thread(target=world.submit, kwargs={"context": RunContext(progress=progress)})
    submission.start()
    try:
        world.sandbox.wait_until_waiting()
        world.change_merchant(paused=True)
    finally:
        world.sandbox.clear_faults()
        submission.join(30)

    assert answered == len(world.sandbox.accepted()) < 160
    assert sorted(set(world.states().values())) == ["held", "submitted"]
