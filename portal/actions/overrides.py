"""SKU overrides: SKUs that a merchant sets by hand for a product or one of its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment.product_facts import rows_of_products
from portal.fulfillment.sku_verdicts import count_skus, judge, note_change
from portal.models import SkuOverride, Store
from portal.models.audit import record
from portal.models.base import chunks
from portal.rules.sku import option_text
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Product


@dataclass(frozen=True, slots=True)
class Change:
    """An override that was set, replaced or removed: its text before and after, "" for none."""

    option_id: str
    before: str
    after: str


def of_product(session: Session, product: Product) -> dict[str, str]:
    """Return the overrides of a product by option id."""
    query = select(SkuOverride).where(
        SkuOverride.store_id == product.store_id, SkuOverride.product_id == product.product_id
    )
    return {row.option_id: row.sku for row in session.scalars(query)}


def lock(session: Session, store: Store) -> None:
    """Wait for others who are setting SKUs of this store, and keep them waiting until the transaction ends.

    Everything that sets SKUs does so. Whoever compares them first locks first. On SQLite every transaction is alone.
    """
    session.execute(select(Store.id).where(Store.id == store.id).with_for_update(key_share=True))


def set_skus(
    session: Session, product: Product, wanted: Mapping[str, str], *, actor: str, reason: str, now: datetime
) -> list[Change]:
    """Set the overrides of these options, by option id (WHOLE for the product). An empty text removes one. Commits.

    Other options don't change. Held orders are reassessed at the next poll.
    """
    store = session.get_one(Store, product.store_id)
    return set_many(session, store, {product.product_id: wanted}, actor=actor, reason=reason, now=now)


def set_many(
    session: Session,
    store: Store,
    wanted: Mapping[str, Mapping[str, str]],
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> list[Change]:
    """Set the overrides of several products, by product id and option id, in one transaction. Commits."""
    lock(session, store)
    products = {product.product_id: product for product in rows_of_products(session, store.id, wanted.keys())}
    rows = {
        (row.product_id, row.option_id): row
        for some in chunks(sorted(products))
        for row in session.scalars(
            select(SkuOverride).where(SkuOverride.store_id == store.id, SkuOverride.product_id.in_(some)),
            # What was read before the lock may be out of date.
            execution_options={"populate_existing": True},
        )
    }
    made, changed = list[Change](), set[str]()
    for product_id, product in products.items():
        names = {option["id"]: option_text(option["name"]) for option in product.options}
        for option_id, sku in wanted[product_id].items():
            row = rows.get((product_id, option_id))
            before = row.sku if row is not None else ""
            if sku == before:
                continue
            made.append(Change(option_id, before, sku))
            changed.add(product_id)
            if row is None:
                row = SkuOverride(store_id=store.id, product_id=product_id, option_id=option_id)
                session.add(row)
            if sku:
                row.sku, row.set_by, row.set_at = sku, actor, now
            else:
                session.delete(row)
            name = " / ".join(filter(None, (clean(product.name) or product_id, names.get(option_id, option_id))))
            action = "SKU set by hand" if sku else "SKU set by hand: removed"
            subject = f"{name}: {sku or before}"
            record(session, action, merchant_id=store.merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    if made:
        note_change(store, now)
        for some in chunks(sorted(changed)):
            judge(session, store.id, some)
        count_skus(session, store)
    session.commit()
    return made
