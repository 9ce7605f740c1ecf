"""SKU overrides: SKUs that a merchant sets by hand for a product or one of its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment.sku_verdicts import count_skus, judge, note_change
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
"""The option id that stands for the whole product."""


@dataclass(frozen=True, slots=True)
class Change:
    """An override that was set, replaced or removed: its text before and after, "" for none."""

    option_id: str
    before: str
    after: str


def of_product(session: Session, product: Product) -> dict[str, str]:
    """Return the overrides of a product by option id."""
    return {row.option_id: row.sku for row in _rows(session, product)}


def set_skus(
    session: Session, product: Product, wanted: Mapping[str, str], *, actor: str, reason: str, now: datetime
) -> list[Change]:
    """Set the overrides of these options, by option id (WHOLE for the product). An empty text removes one. Commits.

    Other options don't change. Held orders are reassessed at the next poll.
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
        name = " / ".join(filter(None, (clean(product.name) or product.product_id, names.get(option_id, option_id))))
        action = "SKU set by hand" if sku else "SKU set by hand: removed"
        subject = f"{name}: {sku or before}"
        record(session, action, merchant_id=store.merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    if changes:
        note_change(store, now)
        judge(session, store.id, [product.product_id])
        count_skus(session, store)
    session.commit()
    return changes


def why_unusable(text: str, option_names: Iterable[str]) -> str:
    """Return why this can't be the SKU of a product with these options, as a sentence, or "" if it can.

    An option name of "" stands for the SKU without an option's name.
    """
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
