"""Orders that can't be sent go on hold with a reason and are released automatically once it is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.fulfillment.world import World


HELD: list[tuple[str, dict[str, Any]]] = [
    ("payment_not_completed", {"payment_status": "unpaid"}),
    ("payment_not_completed", {"payment_status": "pending"}),
    ("payment_not_completed", {"payment_status": "failed"}),
    ("canceled_or_refunded", {"payment_status": "refunded"}),
    ("canceled_or_refunded", {"attributes": {"refund_total": "2.5"}}),
    ("unknown_value", {"payment_status": "authorized"}),
    ("unknown_value", {"attributes": {"payment_status": None}}),
    ("address_incomplete unknown_value", {"attributes": {"shipping_country_id": "United States"}}),
    ("partly_shipped", {"items": [{"quantity": 3, "attributes": {"quantity_shipped": 1, "quantity_unshipped": None}}]}),
    ("quantities_disagree", {"items": [{"quantity": 3, "attributes": {"quantity_unshipped": 2}}]}),
    ("quantities_disagree", {"attributes": {"item_count": 7}}),
    ("nothing_to_ship", {"items": [{"quantity": 3, "quantity_shipped": 3}]}),
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


def test_orders_that_cannot_be_sent_are_on_hold_with_a_reason(world: World) -> None:
    world.change_merchant(international_service="")
    world.sandbox.put_product("2", name="Poster", description="No number here.")
    expected = {world.sandbox.place_order(**fields): set(reason.split()) for reason, fields in HELD}
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
def test_unknown_shipping_status_puts_a_known_order_on_hold(world: World, change: dict[str, Any]) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.edit_order(number, **change)

    world.run()

    assert world.states() == {number: "held"}
    assert world.reasons(number) <= {"unknown_value", "partly_shipped", "canceled_or_refunded", "not_listed"}
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
def test_fixed_description_releases_the_order_at_the_next_poll(world: World, before: str, after: str) -> None:
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


def test_rest_of_an_order_is_sent(world: World) -> None:
    number = world.sandbox.place_order(items=[{"quantity": 3, "quantity_shipped": 1}])
    world.run()
    assert world.sandbox.received()[number]["items"] == [{"sku": "MUG-01", "quantity": 2}]


def test_restored_product_releases_the_order(world: World) -> None:
    world.sandbox.put_product("7", name="Tee", description="SKU:TEE")
    number = world.sandbox.place_order(items=[{"product": "7"}])
    world.sandbox.delete_product("7")
    world.run()
    assert world.reasons(number) == {"product_gone"}

    world.sandbox.put_product("7", name="Tee", description="SKU:TEE")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_choosing_a_service_releases_its_orders(world: World) -> None:
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


def test_new_mapping_applies_to_orders_not_yet_sent(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()

    world.cli("merchants", "map", "--merchant-id", "816", "--domestic", "USPS_PRIORITY")
    code = world.merchant().domestic_service
    world.submit()

    assert world.sandbox.received()[number]["shipping_method"] == code


def test_payment_completed_later_releases_the_order(world: World) -> None:
    number = world.sandbox.place_order(payment_status="pending")
    world.run()
    assert world.reasons(number) == {"payment_not_completed"}

    world.sandbox.edit_order(number, payment_status="completed")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_payment_that_fails_before_sending_puts_the_order_on_hold(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    assert world.states() == {number: "ready"}

    world.sandbox.edit_order(number, payment_status="failed")
    world.run()

    assert world.states() == {number: "held"}
    assert world.sandbox.posted() == {}


def test_completing_the_address_releases_the_order(world: World) -> None:
    number = world.sandbox.place_order(zip="")
    world.run()
    assert world.reasons(number) == {"address_incomplete"}

    world.sandbox.edit_order(number, shipping_zip="60601")
    world.clock.forward(minutes=1)
    world.run()

    assert world.sandbox.received()[number]["address"]["PostalCode"] == "60601"
