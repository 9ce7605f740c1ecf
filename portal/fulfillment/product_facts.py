"""What the cache and the overrides know about products, and how many of those on sale have a SKU that can't be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clients.bigcartel import Option
from portal.models import Product, SkuOverride
from portal.models.base import chunks
from portal.rules.assessment import ProductFacts
from portal.rules.product_skus import stops_orders

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from portal.models import Store

_NOT_ON_SALE = frozenset({"hidden", "sold_out", "coming_soon"})
"""Statuses in which nobody can order a product. One that we don't know counts as on sale."""


def facts(session: Session, store_id: int, ids: Collection[str]) -> dict[str, ProductFacts]:
    """Return what the cache and the overrides know about these products. Products that were never read are left out."""
    whole, single = _overrides(session, store_id, ids)
    return {
        product.product_id: ProductFacts(
            description=product.description,
            options=tuple(Option(option["id"], option["name"]) for option in product.options),
            gone=product.gone,
            override=whole.get(product.product_id, ""),
            option_overrides=single.get(product.product_id, {}),
        )
        for product in rows_of_products(session, store_id, ids)
    }


def count_unusable_skus(session: Session, store: Store) -> None:
    """Count the products on sale that would put an order on hold because of a SKU. The caller commits."""
    session.flush()
    named = session.execute(
        select(Product.product_id, Product.status).where(Product.store_id == store.id, Product.gone.is_(False))
    )
    on_sale = {product_id for product_id, status in named if not _is_off_sale(status)}
    ignore = store.merchant.ignore_items_without_sku
    known = facts(session, store.id, on_sale)
    store.unusable_skus = sum(stops_orders(one, ignore_without_sku=ignore) for one in known.values())


def _is_off_sale(status: str) -> bool:
    return status.casefold().replace("-", "_").replace(" ", "_") in _NOT_ON_SALE


def rows_of_products(session: Session, store_id: int, ids: Collection[str]) -> list[Product]:
    wanted = sorted(ids)
    return [
        row
        for some in chunks(wanted)
        for row in session.scalars(select(Product).where(Product.store_id == store_id, Product.product_id.in_(some)))
    ]


def _overrides(
    session: Session, store_id: int, ids: Collection[str]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    whole: dict[str, str] = {}
    single: dict[str, dict[str, str]] = {}
    if ids:
        for override in session.scalars(select(SkuOverride).where(SkuOverride.store_id == store_id)):
            if override.option_id:
                single.setdefault(override.product_id, {})[override.option_id] = override.sku
            else:
                whole[override.product_id] = override.sku
    return whole, single
