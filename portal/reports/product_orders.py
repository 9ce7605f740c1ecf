"""The orders that have a product: how many wait, and what the warehouse said about its SKUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import defer

from portal.models import Order, OrderState
from portal.reports.order_conditions import has_product
from portal.reports.order_fixes import MOST_COMPARED, unknown_skus

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.models import Product

MOST_COUNTED = 5_000
"""The newest orders on hold that are counted."""


def count_on_hold(session: Session, owned: Select[Order], store_id: int, product_ids: Collection[str]) -> int:
    """Count the store's orders on hold with one of these products. ``owned`` selects what the viewer may see."""
    held = owned.where(Order.store_id == store_id, Order.state == OrderState.HELD).with_only_columns(Order.lines)
    newest = session.scalars(held.order_by(Order.id.desc()).limit(MOST_COUNTED))
    return sum(any(line["product_id"] in product_ids for line in lines) for lines in newest)


def unknown_to_warehouse(
    session: Session, owned: Select[Order], product: Product, skus: Collection[str]
) -> tuple[str, ...]:
    """Return those of the product's SKUs that the warehouse didn't know when it last saw one of its open orders."""
    states = [OrderState.REJECTED, OrderState.HELD, OrderState.READY]
    open_orders = owned.where(
        Order.store_id == product.store_id, Order.state.in_(states), has_product(product.product_id)
    )
    newest = session.scalars(open_orders.options(defer(Order.document)).order_by(Order.id.desc()).limit(MOST_COMPARED))
    return tuple(sorted({sku for order in newest for sku in unknown_skus(order)} & set(skus)))
