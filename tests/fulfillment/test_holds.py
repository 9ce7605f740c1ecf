"""Orders that cannot go wait with their reason, and leave by themselves once it is gone."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.fulfillment.run_context import RunContext
from portal.models import SkuOverride, Store

if TYPE_CHECKING:
    from tests.fulfillment.world import World

HELD: list[tuple[str, dict[str, Any]]] = [
    ("payment_not_completed", {"payment_status": "unpaid"}),
    ("payment_not_completed", {"payment_status": "pending"}),
    ("payment_not_completed", {"payment_status": "failed"}),
    ("unknown_value", {"payment_status": "refunded"}),
    ("unknown_value", {"attributes": {"payment_status": None}}),
    ("address_incomplete unknown_value", {"attributes": {"shipping_country_id": "United States"}}),
    ("partly_shipped", {"items": [{"quantity": 3, "quantity_shipped": 1}]}),
    ("local_pickup", {"labels": ["Local Pickup - [Saturday]"]}),
    ("local_pickup", {"labels": ["Pick up in store"], "label_type": "order_adjustments/base"}),
    ("address_incomplete", {"address_1": ""}),
    ("address_incomplete", {"city": " \u200b"}),
    ("address_incomplete", {"zip": None}),
    ("address_incomplete", {"first_name": "", "last_name": ""}),
    ("address_incomplete", {"country": None}),
    ("nothing_to_ship", {"items": []}),
    ("product_gone", {"items": [{"product": None}]}),
    ("product_gone", {"items": [{"product": "404404"}]}),
    ("no_sku", {"items": [{"product": "2"}]}),
    ("no_mapping", {"country": "DE", "state": None}),
]


def test_orders_that_cannot_go_are_held_and_say_why(world: World) -> None:
    world.change_merchant(international_service="")
    world.sandbox.put_product("2", name="Poster", description="No number here.")
    expected = {world.sandbox.place_order(**words): set(reason.split()) for reason, words in HELD}
    good = world.sandbox.place_order()

    world.run()
    world.run()

    assert {number: world.reasons(number) for number in expected} == expected
    assert world.states() == dict.fromkeys(expected, "held") | {good: "submitted"}
    assert world.sandbox.posted() == {good: 1}
    for number in expected:
        shown = world.cli("orders", "show", number).output
        assert "On hold" in shown
        assert "  - " in shown


@pytest.mark.parametrize(
    "change", [{"shipping_status": "partially_shipped"}, {"shipping_status": "cancelled"}, {"shipping_status": "new"}]
)
def test_an_unknown_shipping_status_of_a_known_order_holds_it(world: World, change: dict[str, Any]) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.edit_order(number, **change)

    world.run()

    assert world.states() == {number: "held"}
    assert world.reasons(number) <= {"unknown_value", "partly_shipped"}
    assert world.sandbox.posted() == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Soft.", "Soft.\n\nSKU:TEE-"),
        ("Soft. sku: TEE-", "Soft. SKU:TEE-"),
        ("Soft. SKU:", "Soft. SKU:TEE-"),
        ("<p>SKU:TEE-</p><p>Wash at 30</p>", "<p>Wash at 30</p><p>SKU:TEE-</p>"),
        (f"SKU:{'T' * 97}-", "SKU:TEE-"),
    ],
)
def test_a_mended_description_releases_its_order_at_the_next_poll(world: World, before: str, after: str) -> None:
    world.sandbox.put_product("7", name="Tee", description=before, options=["SMALL"])
    number = world.sandbox.place_order(items=[{"product": "7"}])
    world.run()
    assert world.reasons(number) == {"no_sku"}

    world.sandbox.patch_product("7", description=after)
    world.clock.forward(minutes=1)
    polled = world.poll()
    assert polled.released == 1
    world.submit()

    assert world.sandbox.received()[number]["items"] == [{"sku": "TEE-SMALL", "quantity": 1}]


def test_options_that_were_taken_away_release_their_order(small_world: World) -> None:
    world = small_world
    world.sandbox.put_product("7", name="Tee", description="SKU:TEE", options=["SMALL", "LARGE"])
    number = world.sandbox.place_order(items=[{"product": "7", "attributes": {"product_option_name": ""}}])
    world.run()
    assert world.reasons(number) == {"no_sku"}

    world.sandbox.put_product("7", name="Tee", description="SKU:TEE")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.received()[number]["items"] == [{"sku": "TEE", "quantity": 1}]


def test_a_product_that_comes_back_releases_its_order(world: World) -> None:
    world.sandbox.put_product("7", name="Tee", description="SKU:TEE")
    number = world.sandbox.place_order(items=[{"product": "7"}])
    world.sandbox.delete_product("7")
    world.run()
    assert world.reasons(number) == {"product_gone"}

    world.sandbox.put_product("7", name="Tee", description="SKU:TEE")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_a_chosen_service_releases_its_orders(world: World) -> None:
    world.change_merchant(domestic_service="", international_service="")
    home, abroad = world.sandbox.place_orders([{}, {"country": "DE", "state": None}])
    world.run()
    assert world.reasons(home) == world.reasons(abroad) == {"no_mapping"}

    mapped = world.cli("merchants", "map", "--merchant-id", "816", "--domestic", "USPS_MEDIA")
    assert mapped.exit_code == 0, mapped.output
    world.run()
    assert world.states() == {home: "submitted", abroad: "held"}

    world.cli("merchants", "map", "--merchant-id", "816", "--international", "EPGEPACKT")
    world.run()
    assert world.sandbox.received()[abroad]["shipping_method"] == "EPGEPACKT"


def test_a_new_mapping_goes_for_every_order_that_is_not_sent(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()

    world.cli("merchants", "map", "--merchant-id", "816", "--domestic", "USPS_PRIORITY")
    code = world.merchant().domestic_service
    world.submit()

    assert world.sandbox.received()[number]["shipping_method"] == code


def test_a_payment_that_completes_later_releases_the_order(world: World) -> None:
    number = world.sandbox.place_order(payment_status="pending")
    world.run()
    assert world.reasons(number) == {"payment_not_completed"}

    world.sandbox.edit_order(number, payment_status="completed")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_a_payment_that_is_taken_back_before_sending_holds_the_order(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    assert world.states() == {number: "ready"}

    world.sandbox.edit_order(number, payment_status="failed")
    world.run()

    assert world.states() == {number: "held"}
    assert world.sandbox.posted() == {}


def test_a_completed_address_releases_the_order(world: World) -> None:
    number = world.sandbox.place_order(zip="")
    world.run()
    assert world.reasons(number) == {"address_incomplete"}

    world.sandbox.edit_order(number, shipping_zip="60601")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.received()[number]["address"]["PostalCode"] == "60601"


@pytest.mark.parametrize(
    ("rule", "reason"), [({"paused": True}, "paused"), ({"test_mode": True}, "test_mode")], ids=["paused", "test mode"]
)
def test_a_switch_holds_and_releases(world: World, rule: dict[str, bool], reason: str) -> None:
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


def test_unpaid_orders_go_if_the_merchant_says_so(world: World) -> None:
    unpaid = world.sandbox.place_order(payment_status="unpaid")
    failed = world.sandbox.place_order(payment_status="failed")
    world.run()

    world.change_merchant(submit_unpaid=True)
    world.run()

    assert world.states() == {unpaid: "submitted", failed: "held"}


def test_items_without_a_sku_are_left_out_if_the_merchant_says_so(world: World) -> None:
    world.sandbox.put_product("2", name="Card", description="Sent by ourselves.")
    mixed = world.sandbox.place_order(items=[{"product": "1"}, {"product": "2", "quantity": 2}])
    none = world.sandbox.place_order(items=[{"product": "2"}])
    world.run()
    assert world.reasons(mixed) == world.reasons(none) == {"no_sku"}

    world.change_merchant(ignore_items_without_sku=True)
    world.run()

    assert world.sandbox.received()[mixed]["items"] == [{"sku": "MUG-01", "quantity": 1}]
    assert world.reasons(none) == {"nothing_to_ship"}
    assert "left out" in world.cli("orders", "show", mixed).output


def test_a_start_date_leaves_older_orders_alone(world: World) -> None:
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


def test_a_store_that_is_not_switched_on_sends_nothing(world: World) -> None:
    world.change_store(live=False)
    number = world.sandbox.place_order()

    world.run()

    assert world.reasons(number) == {"not_live"}
    assert "not live yet" in world.cli("orders", "show", number).output
    assert world.sandbox.posted() == {}


def test_a_person_releases_what_only_looks_like_a_pickup(world: World) -> None:
    number = world.sandbox.place_order(labels=["Local pickup"])
    world.run()
    assert world.states() == {number: "held"}

    retried = world.cli("orders", "retry", number)
    assert retried.exit_code == 0, retried.output
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_a_retry_of_an_order_that_cannot_go_leaves_it_on_hold(world: World) -> None:
    number = world.sandbox.place_order(payment_status="unpaid")
    world.run()

    retried = world.cli("orders", "retry", number)

    assert "On hold" in retried.output
    world.run()
    assert world.sandbox.posted() == {}


@pytest.mark.parametrize("whole", [True, False], ids=["product", "option"])
def test_a_sku_entered_by_hand_releases_its_order_and_wins(world: World, whole: bool) -> None:
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
                option_id="" if whole else option_id,
                sku="BY-HAND-" if whole else "BY-HAND",
                set_by="tests",
                set_at=world.clock(),
            )
        )
        store.products_changed_at = world.clock()
        session.commit()
    world.sandbox.patch_product("7", description="SKU:FROM-SHOP-")
    world.run()

    expected = "BY-HAND-LARGE" if whole else "BY-HAND"
    assert world.sandbox.received()[number]["items"] == [{"sku": expected, "quantity": 1}]
    assert "from override" in world.cli("orders", "show", number).output


def test_territories_follow_the_merchants_choice(small_world: World) -> None:
    world = small_world
    first = world.sandbox.place_order(country="PR", state="PR")
    world.run()
    world.change_merchant(territories_domestic=True)
    second = world.sandbox.place_order(country="PR", state="PR")
    world.clock.forward(minutes=1)
    world.run()

    received = world.sandbox.received()
    assert received[first]["shipping_method"] == "EPGEPACKT"
    assert received[second]["shipping_method"] == "USPS_MEDIA"


def test_a_pause_in_the_middle_of_a_long_run_stops_it(world: World) -> None:
    world.sandbox.place_orders(count=160)
    world.poll()
    came_back = 0

    def progress(count: int) -> None:
        nonlocal came_back
        came_back += count

    world.sandbox.fault("submit", "latency", seconds=30, skip=20, times=None)
    submission = threading.Thread(target=world.submit, kwargs={"context": RunContext(progress=progress)})
    submission.start()
    try:
        world.sandbox.wait_until_waiting()
        world.change_merchant(paused=True)
    finally:
        world.sandbox.clear_faults()
        submission.join(30)

    assert came_back == len(world.sandbox.accepted()) < 160
    assert sorted(set(world.states().values())) == ["held", "submitted"]
