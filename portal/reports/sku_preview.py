"""The SKU preview: each option's final SKU, where it comes from, and its problems and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from portal.clients.bigcartel import Option
from portal.fulfillment import product_facts
from portal.reports.needed_options import needed
from portal.rules.assessment import ProductFacts
from portal.rules.product_skus import Row, rows_of
from portal.rules.sku import SkuProblemCode, duplicate_skus, problem
from portal.rules.sku_by_hand import WHOLE
from portal.rules.sku_excerpt import Excerpt, excerpt
from portal.rules.sku_findings import Finding, Level, findings, is_without_sku, worst
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.models import Product, Store

MAX_SHARERS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who has one SKU: ``first`` are some of them, as (product id, option id) and a name; ``count`` is of all."""

    first: Sequence[tuple[tuple[str, str], str]]
    count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """One product with the SKU of each option. ``own`` are the SKUs set by hand by option id, "" for all options."""

    product_id: str
    name: str
    status: str
    gone: bool
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    description: str = field(default="", repr=False)
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return worst(self.findings)

    @property
    def has_options(self) -> bool:
        return len(self.rows) > 1 or any(row.option for row in self.rows)

    def excerpt(self) -> Excerpt | None:
        """Return the line of the description that the worst finding is about, None if it is about something else.

        It parses the description, so only pages that show it call this.
        """
        if self.gone:
            return None
        described = {one.code for row in self.rows if not (row.by_hand or row.is_gone) for one in row.problems}
        codes = (finding.code for finding in self.findings if finding.code in described)
        code = next(codes, None)
        return None if code is None else excerpt(self.description, code)

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


@dataclass(frozen=True, slots=True)
class ProblemCounts:
    """Products counted by their worst finding; ``without_sku`` is a part of ``stopping``."""

    products: int
    stopping: int
    without_sku: int
    warnings: int
    left_out: int


def options_of(product: Product) -> tuple[Option, ...]:
    return tuple(Option(option["id"], option["name"]) for option in product.options)


def of_product(session: Session, store: Store, product: Product) -> Preview:
    """Return the preview of one product, without checking whether others share its SKUs."""
    facts = product_facts.facts(session, store.id, [product.product_id])
    lost = needed(session, [store.id]).lost.get(store.id, {})
    named = {product.product_id: (product.name, product.status)}
    return previews(named, facts, lost, ignore_without_sku=store.merchant.ignore_items_without_sku)[0]


def previews(
    named: Mapping[str, tuple[str, str]],
    facts: Mapping[str, ProductFacts],
    lost: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    *,
    ignore_without_sku: bool,
    sharing: Mapping[str, Sharing] | None = None,
) -> list[Preview]:
    """Return sorted previews, given each product's name and status, its facts, and its lost options, by product id.

    ``sharing`` says who has which SKU; without it, only these products are compared.
    """
    rows = {product_id: rows_of(facts[product_id], lost.get(product_id, {})) for product_id in named}
    names = {product_id: clean(name) or f"Product {product_id}" for product_id, (name, _) in named.items()}
    shared = _among(rows, names) if sharing is None else sharing
    marked = {key: [_marked(key, row, shared.get(row.sku)) for row in own] for key, own in rows.items()}
    found = [
        Preview(
            product_id=product_id,
            name=names[product_id],
            status=status,
            gone=facts[product_id].gone,
            rows=tuple(marked[product_id]),
            findings=findings(marked[product_id], ignore_without_sku=ignore_without_sku),
            description=facts[product_id].description,
            own=_own(facts[product_id]),
        )
        for product_id, (_, status) in named.items()
    ]
    return sorted(found, key=lambda one: (one.level, one.name.casefold(), one.product_id))


def tried(description: str, option_names: Sequence[str]) -> Preview:
    """Return the preview of a product with this description and these options, for trying out a description."""
    options = tuple(Option(str(number), name) for number, name in enumerate(option_names))
    facts = {"": ProductFacts(description, options, gone=False)}
    return previews({"": ("", "")}, facts, ignore_without_sku=False)[0]


def counts(found: Sequence[Preview]) -> ProblemCounts:
    by_level = [one.level for one in found]
    return ProblemCounts(
        products=len(found),
        stopping=by_level.count(Level.STOPS),
        without_sku=sum(one.level is Level.STOPS and is_without_sku(one.findings) for one in found),
        warnings=by_level.count(Level.WARNING),
        left_out=by_level.count(Level.LEFT_OUT),
    )


def _own(facts: ProductFacts) -> dict[str, str]:
    return ({WHOLE: facts.override} if facts.override else {}) | dict(facts.option_overrides)


def label_of(name: str, option: str) -> str:
    return " / ".join(filter(None, (name, option)))


def _among(rows: Mapping[str, Sequence[Row]], names: Mapping[str, str]) -> dict[str, Sharing]:
    by_key = {(product_id, row.option_id): row for product_id, options in rows.items() for row in options}
    return {
        sku: Sharing([(key, label_of(names[key[0]], by_key[key].option)) for key in keys], len(keys))
        for sku, keys in duplicate_skus({key: row.sku for key, row in by_key.items()}).items()
    }


def _marked(product_id: str, row: Row, sharing: Sharing | None) -> Row:
    """Return the row with the warning that others have its SKU, if they do."""
    if not row.sku or sharing is None or sharing.count < 2:
        return row
    own = (product_id, row.option_id)
    others = [label for key, label in sharing.first if key != own][:MAX_SHARERS_NAMED]
    more = f" and {sharing.count - 1 - len(others)} more" if sharing.count - 1 > len(others) else ""
    shared = problem(SkuProblemCode.SHARED, sku=row.sku)
    full = replace(shared, sentence=f"{shared.sentence} It is also the SKU of {', '.join(others)}{more}.")
    return replace(row, problems=(*row.problems, full))


def option_names(product: Product) -> dict[str, str]:
    """Return the product's option names by option id, as they are appended to a SKU."""
    facts = ProductFacts("", options_of(product), gone=False)
    return {row.option_id: row.option for row in rows_of(facts)}
