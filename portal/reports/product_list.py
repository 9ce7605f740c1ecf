"""The products of a store, worst first, and how many have problems: from their stored SKU verdicts.

Nothing here parses a description but those of the products on the page. A product deleted from Big Cartel is listed
only while an order is waiting for its SKU or it has an override.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, false, func, or_, select, true, tuple_

from portal.fulfillment import product_facts
from portal.fulfillment.sku_verdicts import IS_OF_PRODUCT, IS_OUTDATED, judge_outdated
from portal.models import OptionSku, Product, SkuDrift, SkuVerdict
from portal.reports.needed_options import Needed, needed
from portal.reports.sku_preview import MAX_SHARERS_NAMED, ProblemCounts, Sharing, label_of, previews
from portal.rules.sku_findings import Level, findings, worst

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from portal.models import Store
    from portal.reports.sku_preview import Preview
    from portal.rules.product_skus import Row

MOST_JUDGED = 2_000
"""A page judges so many products that have no verdict, after an upgrade for example; jobs judge the others."""
CSV_PART = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """``words`` are part of a product's name, id, SKU or option."""

    words: str = ""
    only_problems: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the products that match the filters. ``pages`` is at least 1.

    ``has_changes`` says that SKUs have changed lately, so that only then another statement reads which.
    """

    counts: ProblemCounts
    matching: int
    number: int
    pages: int
    rows: Sequence[Preview]
    has_changes: bool


def problem_counts(session: Session, store: Store) -> ProblemCounts:
    """Count a store's products by their worst finding."""
    return _List(session, store, _needed(session, [store])).count(Filters())[0]


def count_stopping(session: Session, stores: Sequence[Store]) -> int:
    """Count the products of a merchant's stores that put orders on hold, in three or four statements."""
    if not stores:
        return 0
    known = _needed(session, stores)
    lists = [_List(session, store, known) for store in stores]
    stopping = or_(*(and_(one.listed, one.level == int(Level.STOPS)) for one in lists))
    return session.scalar(select(func.count()).select_from(SkuVerdict).where(stopping)) or 0


def page(
    session: Session,
    store: Store,
    filters: Filters,
    *,
    number: int,
    per_page: int,
    changed_since: datetime | None = None,
) -> Listed:
    """Return the page with this number, or the nearest one that exists."""
    products = _List(session, store, _needed(session, [store]))
    counts, matching, has_changes = products.count(filters, changed_since)
    pages = max(1, -(-matching // per_page))
    number = min(max(1, number), pages)
    query = products.ordered(filters, per_page, skip=(number - 1) * per_page)
    rows = products.previews(session.scalars(query).all()) if matching else []
    return Listed(counts, matching, number, pages, rows, has_changes)


def row(session: Session, store: Store, product: Product) -> tuple[ProblemCounts, Preview]:
    """Return the counts of the whole list, and one product as the list shows it."""
    products = _List(session, store, _needed(session, [store]))
    return products.count(Filters())[0], products.previews([product])[0]


def parts(session: Session, store: Store, filters: Filters) -> Iterator[list[Preview]]:
    """Yield all products that match, in parts, each read in a transaction of its own."""
    products = _List(session, store, _needed(session, [store]))
    last: tuple[int, str, str] | None = None
    while True:
        found = session.execute(products.ordered(filters, CSV_PART, after=last)).all()
        shown = products.previews([row[0] for row in found])
        session.commit()
        yield shown
        if len(found) < CSV_PART:
            return
        product, level, sort_key = found[-1]
        last = level, sort_key, product.product_id
        session.expunge_all()


def _needed(session: Session, stores: Sequence[Store]) -> Needed:
    """Return what orders need, after judging the products without a verdict."""
    ids = [store.id for store in stores]
    query = (
        select(Product.store_id, IS_OUTDATED)
        .outerjoin(SkuVerdict, IS_OF_PRODUCT)
        .where(Product.store_id.in_(ids), or_(IS_OUTDATED, SkuVerdict.is_forgettable))
        .distinct()
    )
    found = session.execute(query).all()
    outdated = {store_id for store_id, is_outdated in found if is_outdated}
    for store in stores:
        if store.id in outdated:
            judge_outdated(session, store, at_most=MOST_JUDGED)
    if outdated:
        found = session.execute(query).all()
    return needed(session, ids, have_deleted=any(not is_outdated for _, is_outdated in found))


class _List:
    """One store's products as SQL: which are listed, and how bad each is."""

    def __init__(self, session: Session, store: Store, known: Needed) -> None:
        self._session, self._store = session, store
        self._ignore = store.merchant.ignore_items_without_sku
        self._lost, self._waiting = known.lost.get(store.id, {}), known.waiting.get(store.id, {})
        self._rows = known.rows.get(store.id, {})
        is_kept = or_(~SkuVerdict.is_forgettable, SkuVerdict.product_id.in_(self._waiting.keys()))
        self.listed = and_(SkuVerdict.store_id == store.id, is_kept)
        self.level = self._level()

    def _level(self) -> ColumnElement[int]:
        """Return the level of the worst finding, those from other products and from lost options included."""
        own = SkuVerdict.level_if_left_out if self._ignore else SkuVerdict.level
        levels = {
            product_id: worst(findings(rows, ignore_without_sku=self._ignore))
            for product_id, rows in self._rows.items()
        }
        stopped = [product_id for product_id, level in levels.items() if level is Level.STOPS]
        warned = [product_id for product_id, level in levels.items() if level is Level.WARNING]
        is_warned = or_(SkuVerdict.shares_sku, SkuVerdict.product_id.in_([*warned, *self._sharing_with_lost()]))
        return case(
            (SkuVerdict.product_id.in_(stopped), int(Level.STOPS)),
            (and_(own > int(Level.WARNING), is_warned), int(Level.WARNING)),
            else_=own,
        )

    def _lost_skus(self) -> list[tuple[str, str, Row]]:
        """Return the SKUs that were set by hand for lost options, with product id and row."""
        return [(row.sku, product_id, row) for product_id, rows in self._rows.items() for row in rows if row.sku]

    def _sharing_with_lost(self) -> list[str]:
        """Return the products that share a SKU with a lost option."""
        lost = [(sku, product_id) for sku, product_id, _ in self._lost_skus()]
        if not lost:
            return []
        query = select(OptionSku.sku, OptionSku.product_id).where(
            OptionSku.store_id == self._store.id, OptionSku.sku.in_({sku for sku, _ in lost})
        )
        having = [*lost, *((sku, product_id) for sku, product_id in self._session.execute(query))]
        uses = Counter(sku for sku, _ in having)
        return [product_id for sku, product_id in having if uses[sku] > 1]

    def matches(self, filters: Filters) -> ColumnElement[bool]:
        found: ColumnElement[bool] = true()
        if words := filters.words.casefold():
            lost = [
                key
                for key, rows in self._rows.items()
                if any(words in f"{row.option}\n{row.sku}".casefold() for row in rows)
            ]
            named = [key for key, name in self._waiting.items() if words in name.casefold()]
            found = or_(
                SkuVerdict.search.contains(words, autoescape=True),
                SkuVerdict.product_id.in_(lost),
                and_(SkuVerdict.is_forgettable, SkuVerdict.product_id.in_(named)),
            )
        return and_(found, self.level != int(Level.FINE)) if filters.only_problems else found

    def count(self, filters: Filters, changed_since: datetime | None = None) -> tuple[ProblemCounts, int, bool]:
        """Count the listed products by level, and those that match the filters.

        Return as well whether a SKU has changed since then, which costs no statement of its own.
        """
        has_changes: ColumnElement[bool] = false()
        if changed_since is not None:
            drifts = select(SkuDrift.id).where(SkuDrift.store_id == self._store.id, SkuDrift.at >= changed_since)
            has_changes = drifts.exists()
        each = (
            select(self.level.label("level"), SkuVerdict.is_without_sku, self.matches(filters).label("is_match"))
            .where(self.listed)
            .subquery()
        )
        stops = each.c.level == int(Level.STOPS)
        row = self._session.execute(
            select(
                func.count(),
                func.count().filter(stops),
                func.count().filter(stops, each.c.is_without_sku),
                func.count().filter(each.c.level == int(Level.WARNING)),
                func.count().filter(each.c.level == int(Level.LEFT_OUT)),
                func.count().filter(each.c.is_match),
                has_changes,
            ).select_from(each)
        ).one()
        return ProblemCounts(*row[:5]), row[5], bool(row[6])

    def ordered(
        self, filters: Filters, count: int, *, skip: int = 0, after: tuple[int, str, str] | None = None
    ) -> Select[Product, int, str]:
        """Select so many of the matching products, worst first, then by name, each with its level and sort key.

        ``after`` is the level, sort key, and id of the last one before them. Products are sorted without their
        descriptions, of which only those selected are read.
        """
        key = self.level.label("level"), SkuVerdict.sort_key, SkuVerdict.product_id
        some = select(SkuVerdict.store_id, *key).where(self.listed, self.matches(filters)).order_by(*key)
        if after is not None:
            some = some.where(tuple_(self.level, SkuVerdict.sort_key, SkuVerdict.product_id) > after)
        one = some.offset(skip).limit(count).subquery()
        is_its_product = and_(Product.store_id == one.c.store_id, Product.product_id == one.c.product_id)
        return (
            select(Product, one.c.level, one.c.sort_key)
            .join(one, is_its_product)
            .order_by(one.c.level, one.c.sort_key, one.c.product_id)
        )

    def previews(self, products: Sequence[Product]) -> list[Preview]:
        """Return the previews of these few products."""
        named = {one.product_id: (one.name or self._waiting.get(one.product_id, ""), one.status) for one in products}
        return previews(
            named,
            product_facts.facts_of(self._session, self._store.id, products),
            self._lost,
            ignore_without_sku=self._ignore,
            sharing=self._sharing(named.keys()),
        )

    def _sharing(self, ids: Collection[str]) -> dict[str, Sharing]:
        """Return who in the store has the SKUs of these products."""
        lost = self._lost_skus()
        is_theirs = and_(OptionSku.store_id == self._store.id, OptionSku.product_id.in_(ids))
        concerned = or_(
            OptionSku.sku.in_(select(OptionSku.sku).where(is_theirs)), OptionSku.sku.in_([one[0] for one in lost])
        )
        each = (
            select(
                OptionSku.sku,
                OptionSku.product_id,
                OptionSku.option_id,
                OptionSku.option,
                func.count().over(partition_by=OptionSku.sku).label("uses"),
                func.row_number()
                .over(partition_by=OptionSku.sku, order_by=(OptionSku.product_id, OptionSku.option_id))
                .label("position"),
            )
            .where(OptionSku.store_id == self._store.id, concerned)
            .subquery()
        )
        query = (
            select(each, SkuVerdict.name)
            .join(SkuVerdict, and_(SkuVerdict.store_id == self._store.id, SkuVerdict.product_id == each.c.product_id))
            .where(each.c.position <= MAX_SHARERS_NAMED + 1)
            .order_by(each.c.product_id, each.c.option_id)
        )
        first: dict[str, list[tuple[tuple[str, str], str]]] = defaultdict(list)
        uses: Counter[str] = Counter()
        names = {}
        for row in self._session.execute(query):
            first[row.sku].append(((row.product_id, row.option_id), label_of(row.name, row.option)))
            uses[row.sku], names[row.product_id] = row.uses, row.name
        for sku, product_id, one in lost:
            label = label_of(names.get(product_id, f"Product {product_id}"), one.option)
            first[sku].append(((product_id, one.option_id), label))
            uses[sku] += 1
        return {sku: Sharing(some, uses[sku]) for sku, some in first.items()}
