"""What is wrong with the SKUs of a product: each kind of problem once, and how serious it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from portal.rules.product_skus import rows_of
from portal.rules.sku import SkuProblem, SkuProblemCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.rules.assessment import ProductFacts
    from portal.rules.product_skus import Row

RULES = 1
"""The version of the rules for SKUs and findings. Stored verdicts of older versions are derived again.

Raise it with every change after which some product has another SKU or another level.
"""

NO_SKU = frozenset({SkuProblemCode.NO_MARKER, SkuProblemCode.OTHER_SPELLING, SkuProblemCode.NOTHING_AFTER})
_LEFT_OUT = (
    "The product description has no SKU, so orders are sent without this item, as you chose under Settings. "
    "To have the warehouse ship it, add “SKU:” followed by the SKU at the very end of the description."
)


class Level(IntEnum):
    """How serious a finding is, worst first. Stored with a product's verdict."""

    STOPS = 0
    WARNING = 1
    LEFT_OUT = 2
    """No SKU, and the merchant chose to send orders without items that have none."""
    FINE = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem, listed once per product, with the options that have it."""

    level: Level
    code: SkuProblemCode | None
    sentence: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one product comes to without the others. ``level_if_left_out``: with items without a SKU left out."""

    rows: tuple[Row, ...]
    level: Level
    level_if_left_out: Level
    is_without_sku: bool
    is_forgettable: bool
    """Deleted from Big Cartel and without an override, so only an order can still need it."""


def verdict_of(facts: ProductFacts) -> Verdict:
    rows = tuple(rows_of(facts))
    found = findings(rows, ignore_without_sku=False)
    return Verdict(
        rows,
        worst(found),
        worst(findings(rows, ignore_without_sku=True)),
        is_without_sku(found),
        facts.gone and not (facts.override or facts.option_overrides),
    )


def worst(found: Iterable[Finding]) -> Level:
    return min((finding.level for finding in found), default=Level.FINE)


def is_without_sku(found: Iterable[Finding]) -> bool:
    return any(finding.code in NO_SKU for finding in found)


def findings(rows: Iterable[Row], *, ignore_without_sku: bool) -> tuple[Finding, ...]:
    """Return the findings of these options, worst first."""
    grouped: dict[SkuProblemCode, list[tuple[Row, SkuProblem]]] = {}
    missing: dict[str, list[str]] = {}
    for row in rows:
        for one in row.problems:
            grouped.setdefault(one.code, []).append((row, one))
        if row.missing:
            missing.setdefault(row.missing, []).append(row.option)
    found = [_finding(code, group, ignore_without_sku=ignore_without_sku) for code, group in grouped.items()]
    found += (
        Finding(Level.STOPS, None, sentence, tuple(filter(None, options))) for sentence, options in missing.items()
    )
    return tuple(sorted(found, key=lambda finding: finding.level))


def _finding(code: SkuProblemCode, group: Sequence[tuple[Row, SkuProblem]], *, ignore_without_sku: bool) -> Finding:
    options = tuple(row.option for row, _ in group if row.option)
    first = group[0][1]
    if code is SkuProblemCode.NO_MARKER and ignore_without_sku:
        return Finding(Level.LEFT_OUT, code, _LEFT_OUT, options)
    return Finding(Level.STOPS if first.stops else Level.WARNING, code, first.sentence, options)
