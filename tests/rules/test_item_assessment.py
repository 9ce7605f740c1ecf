"""Holds caused by an order's items, and the SKU each item gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal.rules.assessment import ProductFacts, assess
from portal.rules.hold_reasons import HoldReason
from tests.rules.complete_order import MUG, MUG_FACTS, ORDER, PRODUCTS, RULES, SHIRT, SHIRT_FACTS, reasons

if TYPE_CHECKING:
    from portal.clients.bigcartel import LineItem


@pytest.mark.parametrize(
    ("item", "products", "reason", "expected"),
    [
        (SHIRT, {}, HoldReason.UNKNOWN_VALUE, "the product Shirt (SMALL), which"),
        (replace(SHIRT, product_id=None), PRODUCTS, HoldReason.PRODUCT_GONE, "Shirt (SMALL)"),
        (SHIRT, {"101": replace(SHIRT_FACTS, gone=True)}, HoldReason.PRODUCT_GONE, "Shirt (SMALL)"),
        (SHIRT, {"101": replace(SHIRT_FACTS, description="Soft.")}, HoldReason.NO_SKU, "Add “SKU:”"),
        (SHIRT, {"101": replace(SHIRT_FACTS, description="sku:A")}, HoldReason.NO_SKU, "has “sku:”"),
        (SHIRT, {"101": replace(SHIRT_FACTS, override="A\ue000")}, HoldReason.NO_SKU, "U+E000"),
        (replace(SHIRT, option_name=""), PRODUCTS, HoldReason.NO_SKU, "doesn't name one"),
        (replace(SHIRT, quantity=None), PRODUCTS, HoldReason.UNKNOWN_VALUE, "the quantity of Shirt (SMALL)"),
        (replace(MUG, product_name="\u200b", quantity=None), PRODUCTS, HoldReason.UNKNOWN_VALUE, "with no name"),
    ],
)  # fmt: skip
def test_problem_with_an_item_holds_the_order(
    item: LineItem, products: dict[str, ProductFacts], reason: HoldReason, expected: str
) -> None:
    found = assess(replace(ORDER, items=(item,)), products, RULES)
    assert reasons(found) == [reason]
    assert expected in found.holds[0].sentence


@pytest.mark.parametrize(
    ("facts", "sku"),
    [
        (replace(SHIRT_FACTS, override="TEE-"), "TEE-SMALL"),
        (replace(SHIRT_FACTS, description="", override=" TEE-\u200b"), "TEE-SMALL"),
        (replace(SHIRT_FACTS, option_overrides={"201": "T1"}), "T1"),
        (replace(SHIRT_FACTS, override="TEE-", option_overrides={"201": "T1"}), "T1"),
        (replace(SHIRT_FACTS, override="TEE-", option_overrides={"202": "T2"}), "TEE-SMALL"),
        (replace(SHIRT_FACTS, gone=True, override="TEE-"), "TEE-SMALL"),
        (replace(SHIRT_FACTS, gone=True, option_overrides={"201": "T1"}), "T1"),
    ],
)
def test_override_takes_precedence(facts: ProductFacts, sku: str) -> None:
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": facts}, RULES)
    assert found.holds == ()
    assert [(line.sku, line.source) for line in found.lines] == [(sku, "override")]


@pytest.mark.parametrize("override", ["", " ", "\u200b"])
def test_blank_override_is_ignored(override: str) -> None:
    facts = replace(SHIRT_FACTS, override=override, option_overrides={"201": override})
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": facts}, RULES)
    assert [(line.sku, line.source) for line in found.lines] == [("SHIRT-SMALL", "description")]


def test_sku_of_a_deleted_option_uses_the_name_on_the_order() -> None:
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": replace(SHIRT_FACTS, options=())}, RULES)
    assert [line.sku for line in found.lines] == ["SHIRT-SMALL"]


def test_item_without_a_sku_is_left_out_if_the_merchant_chose_so() -> None:
    products = PRODUCTS | {"102": replace(MUG_FACTS, description="Holds tea.")}
    assert reasons(assess(ORDER, products, RULES)) == [HoldReason.NO_SKU]
    found = assess(ORDER, products, replace(RULES, ignore_items_without_sku=True))
    assert found.holds == ()
    assert [(line.sku, line.left_out) for line in found.lines] == [("SHIRT-SMALL", False), ("", True)]


@pytest.mark.parametrize("description", ["sku: MUG", "SKU:", "SKU:A\nB", "SKU:A\ue000", "x" * 200_000])
def test_item_with_an_invalid_sku_is_never_left_out(description: str) -> None:
    products = PRODUCTS | {"102": replace(MUG_FACTS, description=description)}
    found = assess(ORDER, products, replace(RULES, ignore_items_without_sku=True))
    assert reasons(found) == [HoldReason.NO_SKU]
    assert not any(line.left_out for line in found.lines)


@pytest.mark.parametrize("gone", [{}, {"102": replace(MUG_FACTS, gone=True, description="")}])
def test_item_of_an_unknown_product_is_never_left_out(gone: dict[str, ProductFacts]) -> None:
    rules = replace(RULES, ignore_items_without_sku=True)
    found = assess(replace(ORDER, items=(MUG,)), gone, rules)
    assert found.holds != ()
    assert not found.lines[0].left_out


def test_order_with_nothing_to_ship_is_held() -> None:
    assert reasons(assess(replace(ORDER, items=()), PRODUCTS, RULES)) == [HoldReason.NOTHING_TO_SHIP]
    products = {"102": replace(MUG_FACTS, description="Holds tea.")}
    rules = replace(RULES, ignore_items_without_sku=True)
    found = assess(replace(ORDER, items=(MUG,)), products, rules)
    assert reasons(found) == [HoldReason.NOTHING_TO_SHIP]


def test_unreadable_items_do_not_count_as_nothing_to_ship() -> None:
    found = assess(replace(ORDER, items=(), unreadable=("items",)), PRODUCTS, RULES)
    assert reasons(found) == [HoldReason.UNKNOWN_VALUE]


def test_warning_does_not_hold_the_order() -> None:
    found = assess(ORDER, PRODUCTS | {"101": replace(SHIRT_FACTS, description="SKU:SHIRT")}, RULES)
    assert found.holds == ()
    assert found.lines[0].sku == "SHIRTSMALL"
    assert "hyphen" in found.lines[0].problems[0]
