"""A SKU that ends in a separator: fine before an option, a warning without one."""

from __future__ import annotations

import pytest

from portal.rules.sku import SkuProblemCode, read_sku, sku_by_hand, sku_for


@pytest.mark.parametrize("end", ["-", "_", "/"])
def test_separator_at_the_end_is_a_warning_without_an_option(end: str) -> None:
    for sku, problems in (
        sku_for(f"SKU:SHIRT{end}", "", has_options=False),
        sku_for(f"SKU:SHIRT{end}", "Default", has_options=False),
        sku_by_hand(f"SHIRT{end}", None, has_options=False),
    ):
        assert sku == f"SHIRT{end}"
        assert [(one.code, one.stops) for one in problems] == [(SkuProblemCode.UNFINISHED, False)]
        assert f"“SHIRT{end}”" in problems[0].sentence


@pytest.mark.parametrize("end", ["-", "_", "/"])
def test_separator_before_an_option_is_fine(end: str) -> None:
    assert sku_for(f"SKU:SHIRT{end}", "SMALL", has_options=True) == (f"SHIRT{end}SMALL", ())
    assert read_sku(f"SKU:SHIRT{end}") == (f"SHIRT{end}", ())


@pytest.mark.parametrize("sku", ["SHIRT", "A/B", "A-B_C", "/SHIRT", "SHIRT.", "SHIRT1"])
def test_any_other_ending_is_fine(sku: str) -> None:
    assert sku_for(f"SKU:{sku}", None, has_options=False) == (sku, ())
