"""A SKU that ends as if an option were to follow: fine where one does, worth a look where none does."""

from __future__ import annotations

import pytest

from portal.rules.sku import SkuProblemCode, read_sku, sku_by_hand, sku_for


@pytest.mark.parametrize("end", ["-", "_", "/"])
def test_without_an_option_it_is_sent_and_worth_a_look(end: str) -> None:
    for sku, problems in (
        sku_for(f"SKU:SHIRT{end}", "", has_options=False),
        sku_for(f"SKU:SHIRT{end}", "Default", has_options=False),
        sku_by_hand(f"SHIRT{end}", None, has_options=False),
    ):
        assert sku == f"SHIRT{end}"
        assert [(one.code, one.stops) for one in problems] == [(SkuProblemCode.UNFINISHED, False)]
        assert f"“SHIRT{end}”" in problems[0].sentence


@pytest.mark.parametrize("end", ["-", "_", "/"])
def test_with_an_option_behind_it_all_is_well(end: str) -> None:
    assert sku_for(f"SKU:SHIRT{end}", "SMALL", has_options=True) == (f"SHIRT{end}SMALL", ())
    assert read_sku(f"SKU:SHIRT{end}") == (f"SHIRT{end}", ())


@pytest.mark.parametrize("sku", ["SHIRT", "A/B", "A-B_C", "/SHIRT", "SHIRT.", "SHIRT1"])
def test_any_other_end_is_as_it_should_be(sku: str) -> None:
    assert sku_for(f"SKU:{sku}", None, has_options=False) == (sku, ())
