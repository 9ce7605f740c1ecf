"""What people changed about one order counts instead of what Big Cartel shows, while it shows what they saw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.rules.assessment import Assessment, ProductFacts, assess
from portal.rules.difference import difference
from portal.rules.hold_reasons import HoldReason
from portal.rules.order_edits import AddressEdit, ItemEdit, OrderEdits, ServiceEdit, as_sent, editable_ids
from portal.rules.packing import pack
from tests.rules.complete_order import (
    ADDRESS,
    MUG,
    MUG_FACTS,
    ORDER,
    PRODUCTS,
    RULES,
    SHIRT,
    SHIRT_FACTS,
    reasons,
)

NO_MUG_SKU = {**PRODUCTS, "102": replace(MUG_FACTS, description="Holds tea.")}
CORRECTED = replace(ADDRESS, address_1="2 Low Rd", zip="84102")
ADDRESS_EDIT = OrderEdits(address=AddressEdit(CORRECTED, ADDRESS))


def _mug(**edit: Any) -> OrderEdits:
    return OrderEdits(items={"2": ItemEdit("102", "203", **edit)})


def _items(found: Assessment) -> list[tuple[str, int]]:
    return [(item.sku, item.quantity) for item in pack(ORDER, found)[0].items]


@pytest.mark.parametrize(
    "products",
    [NO_MUG_SKU, {**PRODUCTS, "102": replace(MUG_FACTS, gone=True)}, {"101": SHIRT_FACTS}, PRODUCTS],
)
def test_sku_for_this_order_is_sent(products: dict[str, ProductFacts]) -> None:
    found = assess(ORDER, products, RULES, edits=_mug(sku="MUG-9"))
    assert not found.holds
    assert _items(found) == [("SHIRT-SMALL", 2), ("MUG-9", 1)]
    assert [line.source for line in found.lines] == ["description", "order"]


def test_sku_for_this_order_must_be_one_that_can_be_sent() -> None:
    found = assess(ORDER, PRODUCTS, RULES, edits=_mug(sku="MUG\ue000"))
    assert reasons(found) == [HoldReason.NO_SKU]
    assert "U+E000" in found.holds[0].sentence


def test_item_that_the_warehouse_does_not_ship_is_left_out() -> None:
    found = assess(ORDER, NO_MUG_SKU, RULES, edits=_mug(is_not_shipped=True))
    assert not found.holds
    assert _items(found) == [("SHIRT-SMALL", 2)]
    assert [line.left_out for line in found.lines] == [False, True]


def test_order_with_nothing_left_to_ship_is_on_hold() -> None:
    edits = OrderEdits(
        items={
            "1": ItemEdit("101", "201", is_not_shipped=True),
            "2": ItemEdit("102", "203", is_not_shipped=True),
        }
    )
    assert reasons(assess(ORDER, PRODUCTS, RULES, edits=edits)) == [HoldReason.NOTHING_TO_SHIP]


@pytest.mark.parametrize("changed", [{"product_id": "101"}, {"option_id": "204"}])
@pytest.mark.parametrize("edit", [{"sku": "MUG-9"}, {"is_not_shipped": True}])
def test_edit_of_an_item_that_changed_since_holds_the_order(changed: dict[str, Any], edit: dict[str, Any]) -> None:
    order = replace(ORDER, items=(SHIRT, replace(MUG, **changed)))
    found = assess(order, PRODUCTS, RULES, edits=_mug(**edit))
    assert HoldReason.EDIT_OUTDATED in reasons(found)
    assert "MUG-9" not in {line.sku for line in found.lines}
    assert not any(line.left_out for line in found.lines)


def test_items_that_share_an_id_cannot_be_edited() -> None:
    order = replace(ORDER, items=(replace(SHIRT, id="2"), MUG))
    assert editable_ids(order) == frozenset()
    assert not any(line.left_out for line in assess(order, PRODUCTS, RULES, edits=_mug(is_not_shipped=True)).lines)


def test_corrected_address_is_checked_and_sent() -> None:
    order = replace(ORDER, address=replace(ADDRESS, zip="10001"))
    edits = OrderEdits(address=AddressEdit(CORRECTED, order.address))
    assert reasons(assess(order, PRODUCTS, RULES)) == [HoldReason.ADDRESS_DOUBTFUL]
    found = assess(order, PRODUCTS, RULES, edits=edits)
    assert not found.holds
    address = pack(order, found)[0].address
    assert (address.address1, address.postal_code) == ("2 Low Rd", "84102")


def test_corrected_address_has_to_pass_the_same_checks() -> None:
    edits = OrderEdits(address=AddressEdit(replace(ADDRESS, city="", zip="10001"), ADDRESS))
    found = reasons(assess(ORDER, PRODUCTS, RULES, edits=edits))
    assert found == [HoldReason.ADDRESS_INCOMPLETE, HoldReason.ADDRESS_DOUBTFUL]


def test_country_of_the_corrected_address_chooses_the_service() -> None:
    abroad = replace(ADDRESS, country_code="CA", state="ON", zip="M5V 2T6", city="Toronto", country_name="Canada")
    found = assess(ORDER, PRODUCTS, RULES, edits=OrderEdits(address=AddressEdit(abroad, ADDRESS)))
    assert (found.holds, found.service) == ((), "EPGEPACKT")


def test_address_that_changed_in_big_cartel_since_holds_the_order() -> None:
    order = replace(ORDER, address=replace(ADDRESS, address_1="3 Far Away"))
    found = assess(order, PRODUCTS, RULES, edits=ADDRESS_EDIT)
    assert reasons(found) == [HoldReason.EDIT_OUTDATED]
    assert found.address is None


@pytest.mark.parametrize(
    "shown", [CORRECTED, replace(ADDRESS, country_name="USA"), replace(ADDRESS, address_1=" 1  High St")]
)
def test_address_that_means_the_same_keeps_the_correction(shown: Any) -> None:
    found = assess(replace(ORDER, address=shown), PRODUCTS, RULES, edits=ADDRESS_EDIT)
    assert not found.holds
    assert pack(replace(ORDER, address=shown), found)[0].address.address1 == "2 Low Rd"


def test_service_for_this_order_is_sent() -> None:
    found = assess(ORDER, PRODUCTS, RULES, edits=OrderEdits(service=ServiceEdit("UPS_GROUND", "DOMESTIC_DEFAULT")))
    assert (found.holds, found.service) == ((), "UPS_GROUND")


def test_service_chosen_for_another_destination_holds_the_order() -> None:
    edits = OrderEdits(service=ServiceEdit("EPGEPACKT", "INTERNATIONAL_DEFAULT"))
    found = assess(ORDER, PRODUCTS, RULES, edits=edits)
    assert (reasons(found), found.service) == ([HoldReason.EDIT_OUTDATED], "USPS_MEDIA")


def test_own_hold_is_no_other_persons_to_release() -> None:
    [hold] = assess(ORDER, PRODUCTS, RULES, edits=OrderEdits(held_by="owner@example.com")).holds
    assert hold.sentence == "Put on hold by hand: owner@example.com."
    assert not hold.reason.row.releasable


def _changes(before: Any, after: Any, edits: OrderEdits) -> list[tuple[str, str, str]]:
    found = difference(as_sent(before, edits), as_sent(after, edits))
    return [(one.field, one.before, one.after) for one in found]


def test_our_own_address_is_no_change_of_theirs() -> None:
    later = replace(ORDER, address=replace(ADDRESS, phone="555 0100"))
    assert _changes(ORDER, later, ADDRESS_EDIT) == [("Phone number", "", "555 0100")]


def test_change_of_a_corrected_field_is_compared_with_what_was_sent() -> None:
    first, second = (replace(ORDER, address=replace(ADDRESS, address_1=street)) for street in ("3 Far St", "2 Low Rd"))
    assert _changes(ORDER, first, ADDRESS_EDIT) == [("Street", "2 Low Rd", "3 Far St")]
    assert _changes(first, ORDER, ADDRESS_EDIT) == [("Street", "3 Far St", "2 Low Rd")]
    assert _changes(ORDER, second, ADDRESS_EDIT) == []


def test_item_that_was_not_sent_is_not_compared() -> None:
    later = replace(ORDER, items=(SHIRT, replace(MUG, quantity=3)))
    assert _changes(ORDER, later, OrderEdits()) == [("Quantity of Mug", "1", "3")]
    assert _changes(ORDER, later, _mug(is_not_shipped=True)) == []
