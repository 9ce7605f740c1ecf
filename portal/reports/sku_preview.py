"""The SKU preview: each option's final SKU, where it comes from, and its problems and warnings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, literal_column, or_, select

from portal.clients.bigcartel import Option
from portal.fulfillment import product_facts
from portal.models import Order, Product
from portal.models.states import NOT_SENT
from portal.rules.assessment import ProductFacts
from portal.rules.hold_reasons import HoldReason
from portal.rules.options import find_option
from portal.rules.product_skus import Row, rows_of
from portal.rules.sku import SkuProblem, SkuProblemCode, duplicate_skus, problem
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.models import Store

NO_SKU = frozenset({SkuProblemCode.NO_MARKER, SkuProblemCode.OTHER_SPELLING, SkuProblemCode.NOTHING_AFTER})
MAX_SHARERS_NAMED = 3
_LEFT_OUT = (
    "The product description has no SKU, so orders are sent without this item, as you chose under Settings. "
    "To have the warehouse ship it, add “SKU:” followed by the SKU at the very end of the description."
)


class Level(IntEnum):
    """How serious a finding is, worst first."""

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
class Preview:
    """One product with the SKU of each option."""

    product_id: str
    name: str
    status: str
    gone: bool
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        return min((finding.level for finding in self.findings), default=Level.FINE)

    def verdict(self, row: Row) -> tuple[Level, str]:
        """Return one option's worst level, and the sentences of all its findings."""
        own = {one.code: one.sentence for one in row.problems}
        found = [
            (
                finding.level,
                finding.sentence if finding.code is None or finding.level is Level.LEFT_OUT else own[finding.code],
            )
            for finding in self.findings
            if finding.code in own or (finding.code is None and finding.sentence == row.missing)
        ]
        return min((level for level, _ in found), default=Level.FINE), " ".join(sentence for _, sentence in found)

    def is_without_sku(self) -> bool:
        return any(finding.code in NO_SKU for finding in self.findings)

    def matches(self, words: str) -> bool:
        """Return whether the product's name, id, a SKU or an option contains these words, ignoring case."""
        wanted = words.casefold()
        texts = [self.name, self.product_id, *(text for row in self.rows for text in (row.sku, row.option))]
        return any(wanted in text.casefold() for text in texts)


@dataclass(frozen=True, slots=True)
class ProblemCounts:
    """Products counted by their worst finding; ``without_sku`` is a part of ``stopping``."""

    products: int
    stopping: int
    without_sku: int
    warnings: int
    left_out: int


def of_store(session: Session, store: Store) -> list[Preview]:
    """Return all products of the store as last read, worst first, then by name.

    A product deleted from Big Cartel is listed only while an order is waiting for its SKU or it has an override.
    """
    named = {
        product_id: (name, status)
        for product_id, name, status in session.execute(
            select(Product.product_id, Product.name, Product.status).where(Product.store_id == store.id)
        )
    }
    facts = product_facts.facts(session, store.id, named.keys())
    lost = lost_options(session, store, facts)
    if any(one.gone for one in facts.values()):
        named = _without_forgotten(session, store, named, facts)
    return previews(named, facts, lost, ignore_without_sku=store.merchant.ignore_items_without_sku)


def options_of(product: Product) -> tuple[Option, ...]:
    return tuple(Option(option["id"], option["name"]) for option in product.options)


def of_product(session: Session, store: Store, product: Product) -> Preview:
    """Return the preview of one product, without checking whether others share its SKUs."""
    facts = product_facts.facts(session, store.id, [product.product_id])
    lost = lost_options(session, store, facts)
    named = {product.product_id: (product.name, product.status)}
    return previews(named, facts, lost, ignore_without_sku=store.merchant.ignore_items_without_sku)[0]


def lost_options(session: Session, store: Store, facts: Mapping[str, ProductFacts]) -> dict[str, dict[str, str]]:
    """Return the options, names by id, that orders on hold need but these products no longer have, by product id."""
    holds, is_held = cast(Order.holds, Text), Order.state == literal_column("'held'")
    for_lack = or_(*(holds.contains(reason.value) for reason in (HoldReason.OPTION_GONE, HoldReason.PRODUCT_GONE)))
    found: dict[str, dict[str, str]] = {}
    for lines in session.scalars(select(Order.lines).where(Order.store_id == store.id, is_held, for_lack)):
        for line in lines:
            product_id, option_id, name = line["product_id"] or "", line.get("option_id"), line["option"]
            if option_id and product_id in facts and find_option(option_id, name, facts[product_id].options) is None:
                found.setdefault(product_id, {})[option_id] = name or f"option {option_id}"
    return found


def previews(
    named: Mapping[str, tuple[str, str]],
    facts: Mapping[str, ProductFacts],
    lost: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    *,
    ignore_without_sku: bool,
) -> list[Preview]:
    """Return sorted previews, given each product's name and status, its facts, and its lost options, by product id."""
    rows = {product_id: rows_of(facts[product_id], lost.get(product_id, {})) for product_id in named}
    names = {product_id: clean(name) or f"Product {product_id}" for product_id, (name, _) in named.items()}
    _mark_shared(rows, names)
    found = [
        Preview(
            product_id=product_id,
            name=names[product_id],
            status=status,
            gone=facts[product_id].gone,
            rows=tuple(rows[product_id]),
            findings=_findings(rows[product_id], ignore_without_sku=ignore_without_sku),
        )
        for product_id, (_, status) in named.items()
    ]
    return sorted(found, key=lambda one: (one.level, one.name.casefold(), one.product_id))


def tried(description: str, option_names: Sequence[str]) -> Preview:
    """Return the preview of a product with this description and these options, for trying out a description."""
    options = tuple(Option(str(number), name) for number, name in enumerate(option_names))
    facts = {"": ProductFacts(description, options, gone=False)}
    return previews({"": ("", "")}, facts, ignore_without_sku=False)[0]


def problem_counts(session: Session, store: Store) -> ProblemCounts:
    """Count a store's products by their worst finding."""
    return counts(of_store(session, store))


def counts(found: Sequence[Preview]) -> ProblemCounts:
    by_level = [one.level for one in found]
    return ProblemCounts(
        products=len(found),
        stopping=by_level.count(Level.STOPS),
        without_sku=sum(one.level is Level.STOPS and one.is_without_sku() for one in found),
        warnings=by_level.count(Level.WARNING),
        left_out=by_level.count(Level.LEFT_OUT),
    )


def _mark_shared(rows: dict[str, list[Row]], names: Mapping[str, str]) -> None:
    by_key = {(product_id, row.option_id): row for product_id, options in rows.items() for row in options}
    for sku, keys in duplicate_skus({key: row.sku for key, row in by_key.items()}).items():
        shared = problem(SkuProblemCode.SHARED, sku=sku)
        for key in keys:
            others = [
                " / ".join(filter(None, (names[other[0]], by_key[other].option)))
                for other in keys[: MAX_SHARERS_NAMED + 1]
                if other != key
            ][:MAX_SHARERS_NAMED]
            more = f" and {len(keys) - 1 - len(others)} more" if len(keys) - 1 > len(others) else ""
            full = replace(shared, sentence=f"{shared.sentence} It is also the SKU of {', '.join(others)}{more}.")
            rows[key[0]] = [
                replace(row, problems=(*row.problems, full)) if row.option_id == key[1] else row for row in rows[key[0]]
            ]


def _findings(rows: Sequence[Row], *, ignore_without_sku: bool) -> tuple[Finding, ...]:
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


def _without_forgotten(
    session: Session, store: Store, named: Mapping[str, tuple[str, str]], facts: Mapping[str, ProductFacts]
) -> dict[str, tuple[str, str]]:
    """Drop deleted products that nothing needs; name the needed ones after the order's item."""
    waiting = _waiting_for(
        session.scalars(select(Order.lines).where(Order.store_id == store.id, Order.state.in_(NOT_SENT)))
    )
    kept = {}
    for product_id, (name, status) in named.items():
        known = facts[product_id]
        if not known.gone or known.override or known.option_overrides or product_id in waiting:
            kept[product_id] = (name or waiting.get(product_id, ""), status)
    return kept


def _waiting_for(orders: Iterable[list[dict[str, object]]]) -> dict[str, str]:
    """Return product names by product id from the items of these orders."""
    return {str(line["product_id"]): str(line["name"]) for lines in orders for line in lines if line["product_id"]}


def option_names(product: Product) -> dict[str, str]:
    """Return the product's option names by option id, as they are appended to a SKU."""
    facts = ProductFacts("", options_of(product), gone=False)
    return {row.option_id: row.option for row in rows_of(facts)}
