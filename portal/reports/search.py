"""What a search finds: orders, products, stores, and merchants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import Merchant, OptionSku, SkuVerdict, Store
from portal.reports.search_orders import FoundOrder, orders
from portal.rules.search_words import read_query, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.rules.search_words import Query

SUGGESTED = 8
"""Orders that are shown while somebody types."""
LISTED = 50
"""Orders on the page of results."""
FEW = 5
"""Products, stores and merchants that are shown while somebody types; the page has four times as many."""


@dataclass(frozen=True, slots=True)
class FoundProduct:
    store_id: int
    product_id: str
    name: str
    skus: Sequence[str]


@dataclass(frozen=True, slots=True)
class FoundStore:
    id: int
    merchant_id: int
    name: str
    account_id: str


@dataclass(frozen=True, slots=True)
class FoundMerchant:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Results:
    """What was found for what somebody typed. There may be more ``orders`` than shown if ``has_more``."""

    query: Query
    orders: Sequence[FoundOrder] = ()
    has_more: bool = False
    products: Sequence[FoundProduct] = field(default=())
    stores: Sequence[FoundStore] = field(default=())
    merchants: Sequence[FoundMerchant] = field(default=())

    @property
    def count(self) -> int:
        return len(self.orders) + len(self.products) + len(self.stores) + len(self.merchants)

    @property
    def only_order(self) -> FoundOrder | None:
        """The one order whose whole number, tracking number, or number at the warehouse was typed."""
        whole = [order for order in self.orders if order.is_whole]
        named = any(str(one.id) == self.query.whole for one in self.merchants)
        return whole[0] if len(whole) == 1 and not named else None


def of_merchant(session: Session, typed: str, merchant_id: int, *, is_suggestion: bool) -> Results:
    """Search the orders, products, and stores of one merchant."""
    query, most, few = read_query(typed), *_sizes(is_suggestion=is_suggestion)
    if query.is_empty:
        return Results(query)
    found = orders(session, typed, query, merchant_id, at_most=most + 1)
    stores = _stores(session, query, merchant_id)
    return Results(query, found[:most], len(found) > most, _products(session, typed, merchant_id, few), stores[:few])


def of_all(session: Session, typed: str, *, is_suggestion: bool) -> Results:
    """Search the orders and stores of all merchants, and the merchants themselves."""
    query, most, few = read_query(typed), *_sizes(is_suggestion=is_suggestion)
    if query.is_empty:
        return Results(query)
    found = orders(session, typed, query, None, at_most=most + 1)
    rows = session.execute(select(Merchant.id, Merchant.name).order_by(Merchant.id))
    merchants = [FoundMerchant(*row) for row in rows if query.matches([str(row.id), *words(row.name)])]
    merchants.sort(key=lambda one: str(one.id) != query.whole)
    return Results(
        query,
        found[:most],
        len(found) > most,
        stores=_stores(session, query, None)[:few],
        merchants=merchants[:few],
    )


def _sizes(*, is_suggestion: bool) -> tuple[int, int]:
    return (SUGGESTED, FEW) if is_suggestion else (LISTED, 4 * FEW)


def _stores(session: Session, query: Query, merchant_id: int | None) -> list[FoundStore]:
    stores = select(Store.id, Store.merchant_id, Store.name, Store.account_id, Store.url).order_by(Store.id)
    if merchant_id is not None:
        stores = stores.where(Store.merchant_id == merchant_id)
    return [
        FoundStore(row.id, row.merchant_id, row.name, row.account_id)
        for row in session.execute(stores)
        if query.matches([row.account_id, *words(row.name), *words(row.url.rpartition("//")[2])])
    ]


def _products(session: Session, typed: str, merchant_id: int, at_most: int) -> list[FoundProduct]:
    """Return the products whose name, SKU, option or id has each of the words."""
    verdict = SkuVerdict
    is_of_product = (OptionSku.store_id == verdict.store_id, OptionSku.product_id == verdict.product_id)
    skus = select(func.aggregate_strings(OptionSku.sku, "\n")).where(*is_of_product).scalar_subquery()
    found = select(verdict.store_id, verdict.product_id, verdict.name, skus).where(
        verdict.store_id.in_(select(Store.id).where(Store.merchant_id == merchant_id)),
        ~verdict.is_forgettable,
        *(verdict.search.contains(word, autoescape=True) for word in typed.casefold().split()),
    )
    rows = session.execute(found.order_by(verdict.sort_key, verdict.product_id).limit(at_most))
    return [FoundProduct(row[0], row[1], row[2], sorted(row[3].split("\n") if row[3] else ())) for row in rows]
