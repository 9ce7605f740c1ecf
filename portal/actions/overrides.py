"""SKUs that a merchant sets by hand: for a product, or for one of its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import SkuOverride, Store
from portal.models.audit import record
from portal.rules.sku import MARKER, option_text, sku_by_hand
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Product

WHOLE = ""
"""The option id under which the SKU of the whole product stands."""


@dataclass(frozen=True, slots=True)
class Change:
    """An override that was set, replaced or removed: texts before and after, empty for none."""

    option_id: str
    before: str
    after: str


def of_product(session: Session, product: Product) -> dict[str, str]:
    """Return the overrides of a product by option id."""
    return {row.option_id: row.sku for row in _rows(session, product)}


def set_skus(
    session: Session, product: Product, wanted: Mapping[str, str], *, actor: str, reason: str, now: datetime
) -> list[Change]:
    """Set the SKUs of these options (by id; WHOLE for the product), or remove them where the text is empty. Commits.

    Options that are not named stay as they are. Held orders are assessed again at the next poll.
    """
    store = session.get_one(Store, product.store_id)
    names = {option["id"]: option_text(option["name"]) for option in product.options}
    rows = {row.option_id: row for row in _rows(session, product)}
    changes = []
    for option_id, sku in wanted.items():
        row = rows.get(option_id)
        before = row.sku if row is not None else ""
        if sku == before:
            continue
        changes.append(Change(option_id, before, sku))
        if row is None:
            row = SkuOverride(store_id=store.id, product_id=product.product_id, option_id=option_id)
            session.add(row)
        if sku:
            row.sku, row.set_by, row.set_at = sku, actor, now
        else:
            session.delete(row)
        what = " / ".join(filter(None, (clean(product.name) or product.product_id, names.get(option_id, option_id))))
        action = "SKU set by hand" if sku else "SKU set by hand removed"
        subject = f"{what}: {sku or before}"
        record(session, action, merchant_id=store.merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    if changes:
        store.products_changed_at = now
    session.commit()
    return changes


def what_stops(text: str, option_names: Iterable[str]) -> str:
    """Why this cannot be the SKU of a product with these options ("" among them: alone); empty when it can."""
    if text.upper().startswith(MARKER):
        return "Enter the SKU alone, without “SKU:” before it."
    names = [option_text(name) for name in option_names] or [""]
    found = (problem for name in names for problem in sku_by_hand(text, name, has_options=False)[1])
    return next((problem.sentence for problem in found if problem.stops), "")


def _rows(session: Session, product: Product) -> list[SkuOverride]:
    query = select(SkuOverride).where(
        SkuOverride.store_id == product.store_id, SkuOverride.product_id == product.product_id
    )
    return list(session.scalars(query))
