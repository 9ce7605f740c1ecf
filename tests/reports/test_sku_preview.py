"""The SKU preview shows the SKUs that orders are sent with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.bigcartel import BigCartelAddress, BigCartelOrder, LineItem, Option
from portal.reports.sku_preview import Preview, ProblemCounts, counts, previews, tried
from portal.rules.assessment import ProductFacts, Rules, assess
from portal.rules.options import find_option
from portal.rules.product_skus import rows_of
from portal.rules.sku import SkuProblemCode
from portal.rules.sku_findings import Level
from tests.rules.texts import any_text, descriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALL, LARGE, DEFAULT = Option("1", "SMALL"), Option("2", "LARGE"), Option("3", "Default")


def facts(
    description: str = "SKU:SHIRT-",
    *options: Option,
    gone: bool = False,
    override: str = "",
    by_option: dict[str, str] | None = None,
) -> ProductFacts:
    return ProductFacts(description, options, gone=gone, override=override, option_overrides=by_option or {})


def previewed(
    more: Mapping[str, ProductFacts] | None = None, *, ignore: bool = False, **named: ProductFacts
) -> list[Preview]:
    products = {**named, **(more or {})}
    return previews({name: (name, "active") for name in products}, products, ignore_without_sku=ignore)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (facts("SKU:SHIRT-", SMALL, LARGE), [("SHIRT-SMALL", "description"), ("SHIRT-LARGE", "description")]),
        (facts("SKU:MUG", DEFAULT), [("MUG", "description")]),
        (facts("SKU:MUG"), [("MUG", "description")]),
        (facts("nothing", DEFAULT), [("", "none")]),
        (facts("nothing", DEFAULT, override="MUG"), [("MUG", "override")]),
        (facts("SKU:X-", SMALL, LARGE, override="TEE-"), [("TEE-SMALL", "override"), ("TEE-LARGE", "override")]),
        (
            facts("SKU:X-", SMALL, LARGE, override="TEE-", by_option={"2": "BIG"}),
            [("TEE-SMALL", "override"), ("BIG", "override")],
        ),
        (facts("SKU:X", SMALL, DEFAULT), [("XSMALL", "description"), ("", "none")]),
        (facts("SKU:MUG", DEFAULT, gone=True), [("", "none")]),
        (facts("SKU:MUG", DEFAULT, gone=True, override="OLD"), [("OLD", "override")]),
        (facts("SKU:MUG", DEFAULT, override=" \u200b"), [("MUG", "description")]),
    ],
)
def test_final_skus_are_shown_with_their_sources(product: ProductFacts, expected: list[tuple[str, str]]) -> None:
    assert [(row.sku, row.source) for row in rows_of(product)] == expected


names = st.one_of(st.sampled_from(["", "Default", "SMALL", "X-LARGE", "a b", "\u200b"]), any_text)
some_facts = st.builds(
    ProductFacts,
    description=descriptions,
    options=st.lists(names, max_size=4).map(lambda all_: tuple(Option(str(n), name) for n, name in enumerate(all_))),
    gone=st.booleans(),
    override=st.one_of(st.just(""), any_text),
    option_overrides=st.dictionaries(st.sampled_from(["0", "1", "2"]), any_text, max_size=2),
)


@given(some_facts)
def test_order_is_sent_with_the_sku_in_the_preview(product: ProductFacts) -> None:
    options = product.options or (Option("", ""),)
    items = tuple(LineItem(str(n), "7", "Thing", one.id, one.name, 1) for n, one in enumerate(options))
    order = BigCartelOrder(
        "N", "completed", "unshipped", datetime(2026, 5, 1, tzinfo=UTC), None, BigCartelAddress(), items
    )
    lines = assess(order, {"7": product}, Rules("", "")).lines
    rows = rows_of(product)
    assert [(row.sku, row.source) for row in rows] == [(line.sku, line.source) for line in lines]
    assert [tuple(one.sentence for one in row.problems) for row in rows] == [line.problems for line in lines]


ids = st.one_of(st.none(), st.sampled_from(["0", "1", "2", "3", "gone"]))


@given(some_facts, ids, names)
def test_any_item_is_sent_with_the_sku_in_the_row_of_its_option(
    product: ProductFacts, option_id: str | None, name: str
) -> None:
    """An option that is gone, or renamed, is found by its id; an item without an id, by the name."""
    item = LineItem("1", "7", "Thing", option_id, name, 1)
    order = BigCartelOrder(
        "N", "completed", "unshipped", datetime(2026, 5, 1, tzinfo=UTC), None, BigCartelAddress(), (item,)
    )
    (line,) = assess(order, {"7": product}, Rules("", "")).lines
    chosen = find_option(option_id, name, product.options)
    rows = rows_of(product, {option_id: name} if chosen is None and option_id is not None else {})
    shown = {row.option_id: row for row in rows}
    assert line.option_id == option_id
    if option_id is not None and option_id in shown:
        assert (line.sku, line.source) == (shown[option_id].sku, shown[option_id].source)
    elif option_id not in product.option_overrides:
        assert not line.sku or line.sku in {row.sku for row in rows}


def test_products_are_sorted_worst_first_then_by_name() -> None:
    found = previewed(
        zebra=facts("nothing", DEFAULT),
        apple=facts("SKU:A", DEFAULT),
        Berry=facts("SKU:B", DEFAULT),
        cherry=facts("SKU:C D", DEFAULT),
    )
    assert [(one.name, one.level) for one in found] == [
        ("zebra", Level.STOPS), ("cherry", Level.WARNING), ("apple", Level.FINE), ("Berry", Level.FINE),
    ]  # fmt: skip


def test_problem_shared_by_all_options_is_listed_once() -> None:
    (shirt,) = previewed(shirt=facts("SKU:SHIRT", SMALL, LARGE))
    (finding,) = shirt.findings
    assert (finding.level, finding.code, finding.options) == (
        Level.WARNING,
        SkuProblemCode.NO_SEPARATOR,
        ("SMALL", "LARGE"),
    )
    assert [shirt.verdict(row)[1].count("SHIRTLARGE") for row in shirt.rows] == [0, 1], "each names its own SKU"


def test_shared_sku_names_the_other_products() -> None:
    found = previewed(
        mug=facts("SKU:MUG", DEFAULT), cup=facts("SKU:MUG", DEFAULT), pot=facts("SKU:POT", DEFAULT),
        tee=facts("SKU:T-", SMALL, LARGE, by_option={"2": "MUG"}),
    )  # fmt: skip
    sentences = {one.name: [finding.sentence for finding in one.findings] for one in found}
    assert sentences["pot"] == []
    assert sentences["mug"][0].endswith("It is also the SKU of cup, tee / LARGE.")
    assert next(one for one in found if one.name == "tee").findings[0].options == ("LARGE",)
    many = previewed({f"p{n}": facts("SKU:SAME", DEFAULT) for n in range(9)})
    assert many[0].findings[0].sentence.endswith("It is also the SKU of p1, p2, p3 and 5 more.")


def test_items_left_out_by_choice_do_not_stop_orders_but_are_counted() -> None:
    products = {
        "none": facts("nothing", DEFAULT), "other": facts("sku: X", DEFAULT), "empty": facts("SKU:", DEFAULT),
        "broken": facts("SKU:A\nB", DEFAULT), "space": facts("SKU:A B", DEFAULT), "fine": facts("SKU:A", DEFAULT),
    }  # fmt: skip
    assert counts(previewed(products)) == ProblemCounts(products=6, stopping=4, without_sku=3, warnings=1, left_out=0)
    found = previewed(products, ignore=True)
    assert counts(found) == ProblemCounts(products=6, stopping=3, without_sku=2, warnings=1, left_out=1)
    left_out = next(one for one in found if one.name == "none")
    assert "orders are sent without this item, as you chose under Settings" in left_out.verdict(left_out.rows[0])[1]


def test_deleted_product_without_an_override_stops_its_order() -> None:
    (gone,) = previewed(gone=facts("SKU:MUG", DEFAULT, gone=True))
    assert gone.level is Level.STOPS
    assert "Enter the SKU here" in gone.verdict(gone.rows[0])[1]
    (fixed,) = previewed(gone=facts("SKU:MUG", DEFAULT, gone=True, override="MUG"))
    assert fixed.level is Level.FINE


def test_trial_description_is_previewed_like_a_product() -> None:
    assert [row.sku for row in tried("Soft.<br>SKU:TEE-", ["SMALL", "LARGE"]).rows] == ["TEE-SMALL", "TEE-LARGE"]
    assert [row.sku for row in tried("SKU:MUG", []).rows] == ["MUG"]
    assert tried("nothing", []).level is Level.STOPS
