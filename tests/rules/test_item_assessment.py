"""Holds caused by an order's items, and the SKU each item gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal.clients.bigcartel import Option
from portal.rules.assessment import ProductFacts, assess
from portal.rules.hold_reasons import HoldReason
from portal.rules.packing import pack
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
        (replace(SHIRT, option_id=None, option_name=""), PRODUCTS, HoldReason.NO_SKU, "doesn't name one"),
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


def _renamed(*options: Option) -> dict[str, ProductFacts]:
    return {"101": replace(SHIRT_FACTS, options=options)}


DEFAULT = Option("209", "Default")
GONE = HoldReason.OPTION_GONE


@pytest.mark.parametrize(
    ("item", "products", "sku", "held"),
    [
        (SHIRT, _renamed(Option("201", "Small"), Option("202", "L")), "SHIRT-Small", []),
        (replace(SHIRT, option_name=""), PRODUCTS, "SHIRT-SMALL", []),
        (SHIRT, _renamed(Option("202", "LARGE")), "", [GONE]),
        (SHIRT, _renamed(Option("205", "SMALL")), "", [GONE]),
        (SHIRT, _renamed(DEFAULT), "", [GONE]),
        (SHIRT, _renamed(), "", [GONE]),
        (replace(SHIRT, option_name=""), _renamed(Option("202", "LARGE")), "", [GONE]),
        (replace(SHIRT, option_name=""), _renamed(DEFAULT), "SHIRT-", []),
        (replace(SHIRT, option_name="Default"), _renamed(), "SHIRT-", []),
        (replace(SHIRT, option_id=None), PRODUCTS, "SHIRT-SMALL", []),
        (replace(SHIRT, option_id=None), _renamed(Option("1", "Small")), "", [GONE]),
        (replace(SHIRT, option_id=None), _renamed(Option("1", "SMALL"), Option("2", "SMALL")), "", [GONE]),
        (replace(SHIRT, option_id=None), _renamed(DEFAULT), "", [GONE]),
    ],
)
def test_options_current_name_counts(
    item: LineItem, products: dict[str, ProductFacts], sku: str, held: list[HoldReason]
) -> None:
    found = assess(replace(ORDER, items=(item,)), products, RULES)
    assert (reasons(found), found.lines[0].sku) == (held, sku)


def test_override_for_an_option_that_is_gone_counts() -> None:
    facts = replace(SHIRT_FACTS, options=(DEFAULT,), override="TEE-")
    assert reasons(assess(replace(ORDER, items=(SHIRT,)), {"101": facts}, RULES)) == [GONE]
    facts = replace(facts, option_overrides={"201": "T1"})
    found = assess(replace(ORDER, items=(SHIRT,)), {"101": facts}, RULES)
    assert (found.holds, found.lines[0].sku) == ((), "T1")


def test_item_of_a_product_without_a_sku_is_left_out_even_if_its_option_is_gone() -> None:
    products = {"101": replace(SHIRT_FACTS, description="Soft.", options=()), "102": MUG_FACTS}
    assert reasons(assess(ORDER, products, RULES)) == [GONE]
    found = assess(ORDER, products, replace(RULES, ignore_items_without_sku=True))
    assert (found.holds, [line.left_out for line in found.lines]) == ((), [True, False])


NUMBERS_DISAGREE = HoldReason.QUANTITIES_DISAGREE


@pytest.mark.parametrize(
    ("shipped", "unshipped", "quantity", "held"),
    [
        (None, None, 2, []),
        (0, 2, 2, []),
        (0, None, 2, []),
        (1, 1, 1, []),
        (None, 1, 1, []),
        (2, 0, 0, [HoldReason.NOTHING_TO_SHIP]),
        (None, 0, 0, [HoldReason.NOTHING_TO_SHIP]),
        (1, None, 2, [HoldReason.PARTLY_SHIPPED]),
        (0, 1, 1, [NUMBERS_DISAGREE]),
        (0, 0, 0, [NUMBERS_DISAGREE, HoldReason.NOTHING_TO_SHIP]),
        (1, 2, 2, [NUMBERS_DISAGREE]),
        (3, None, 2, [HoldReason.PARTLY_SHIPPED, NUMBERS_DISAGREE]),
        (None, 3, 3, [NUMBERS_DISAGREE]),
    ],
)
def test_what_is_left_to_ship_is_sent(
    shipped: int | None, unshipped: int | None, quantity: int, held: list[HoldReason]
) -> None:
    item = replace(SHIRT, quantity_shipped=shipped, quantity_unshipped=unshipped)
    found = assess(replace(ORDER, items=(item,)), PRODUCTS, RULES)
    assert (reasons(found), found.lines[0].quantity) == (held, quantity)


@pytest.mark.parametrize(("unshipped", "held"), [(None, [HoldReason.PARTLY_SHIPPED]), (2, [])])
def test_order_with_a_shipment_is_sent_only_if_it_says_what_is_left(
    unshipped: int | None, held: list[HoldReason]
) -> None:
    item = replace(SHIRT, quantity_unshipped=unshipped)
    assert reasons(assess(replace(ORDER, items=(item,), has_shipments=True), PRODUCTS, RULES)) == held


def test_item_with_nothing_left_needs_no_sku() -> None:
    shipped = replace(SHIRT, quantity_shipped=2, quantity_unshipped=0)
    found = assess(replace(ORDER, items=(shipped, MUG)), {"102": MUG_FACTS}, RULES)
    assert found.holds == ()
    request, _ = pack(ORDER, found)
    assert [(item.sku, item.quantity) for item in request.items] == [("MUG", 1)]


@pytest.mark.parametrize(("count", "held"), [(3, []), (None, []), (2, [NUMBERS_DISAGREE]), (4, [NUMBERS_DISAGREE])])
def test_item_count_must_match_the_items(count: int | None, held: list[HoldReason]) -> None:
    assert reasons(assess(replace(ORDER, item_count=count), PRODUCTS, RULES)) == held


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
