"""What the cache and the overrides know about products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clients.bigcartel import Option
from portal.models import Product, SkuOverride
from portal.models.base import IN_CHUNK, chunks
from portal.rules.assessment import ProductFacts

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def facts(session: Session, store_id: int, ids: Collection[str]) -> dict[str, ProductFacts]:
    """Return what the cache and the overrides know about these products. Products that were never read are left out."""
    return facts_of(session, store_id, rows_of_products(session, store_id, ids))


def facts_of(session: Session, store_id: int, products: Collection[Product]) -> dict[str, ProductFacts]:
    """Return the same of products that have been read from the database."""
    whole, single = _overrides(session, store_id, [product.product_id for product in products])
    return {
        product.product_id: ProductFacts(
            description=product.description,
            options=tuple(Option(option["id"], option["name"]) for option in product.options),
            gone=product.gone,
            override=whole.get(product.product_id, ""),
            option_overrides=single.get(product.product_id, {}),
        )
        for product in products
    }


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
    query = select(SkuOverride).where(SkuOverride.store_id == store_id)
    if len(ids) <= IN_CHUNK:
        query = query.where(SkuOverride.product_id.in_(ids))
    if ids:
        for override in session.scalars(query):
            if override.option_id:
                single.setdefault(override.product_id, {})[override.option_id] = override.sku
            else:
                whole[override.product_id] = override.sku
    return whole, single
