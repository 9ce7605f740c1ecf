"""The final SKU of each option of a product, by the rules used for order items."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from portal.clients.bigcartel import Option
from portal.rules.sku import SkuProblem, option_text, sku_by_hand, sku_for
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.rules.assessment import ProductFacts, Source

_GONE = (
    "This product is no longer in Big Cartel, and an order is waiting for its SKU. "
    "Enter the SKU here, or restore the product in Big Cartel."
)
_OPTION_GONE = (
    "This option is no longer in Big Cartel, and an order is waiting for its SKU. "
    "Enter the SKU here, or restore the option in Big Cartel."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One option of a product; its id and name are empty for a product without options.

    ``by_hand`` is the override as entered. ``missing`` says why there is no SKU although nothing is wrong with the
    description. ``is_gone``: the product no longer has the option, but an order on hold needs it.
    """

    option_id: str
    option: str
    sku: str
    source: Source
    by_hand: str
    problems: tuple[SkuProblem, ...]
    missing: str = ""
    is_gone: bool = False


def rows_of(facts: ProductFacts, lost: Mapping[str, str] = MappingProxyType({})) -> list[Row]:
    """Return the final SKU of each option, those ``lost`` (names by id) included, by the rules used for order items."""
    has_options = any(option_text(option.name) for option in facts.options)
    rows = [_row(option, facts, has_options=has_options) for option in facts.options or (Option("", ""),)]
    return rows + [_lost_row(Option(option_id, name), facts) for option_id, name in lost.items()]


def _row(option: Option, facts: ProductFacts, *, has_options: bool) -> Row:
    name = option_text(option.name)
    source: Source = "override"
    by_hand = facts.option_overrides.get(option.id, "")
    if clean(by_hand):
        sku, problems = sku_by_hand(by_hand, None, has_options=False)
    elif clean(by_hand := facts.override):
        sku, problems = sku_by_hand(by_hand, option.name, has_options=has_options)
    elif facts.gone:
        sku, problems, source, by_hand = "", (), "none", ""
    else:
        sku, problems = sku_for(facts.description, option.name, has_options=has_options)
        source, by_hand = "description" if sku else "none", ""
    return Row(option.id, name, sku, source, by_hand, problems, _GONE if facts.gone and source == "none" else "")


def _lost_row(option: Option, facts: ProductFacts) -> Row:
    """Return the row of an option that is gone: only a SKU set by hand for this very option is left."""
    by_hand = facts.option_overrides.get(option.id, "")
    if not clean(by_hand):
        return Row(option.id, option.name, "", "none", "", (), _GONE if facts.gone else _OPTION_GONE, is_gone=True)
    sku, problems = sku_by_hand(by_hand, None, has_options=False)
    return Row(option.id, option.name, sku, "override", by_hand, problems, is_gone=True)
