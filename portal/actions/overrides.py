"""SKUs that a merchant sets by hand: for a product, or for one of its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import SkuOverride
from portal.rules.sku import MARKER, option_text, sku_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Store

WHOLE = ""
"""The option id under which the SKU of the whole product stands."""


@dataclass(frozen=True, slots=True)
class Change:
    """An override that was set, replaced or removed: texts before and after, empty for none."""

    option_id: str
    before: str
    after: str


def of_product(session: Session, store: Store, product_id: str) -> dict[str, str]:
    """The overrides of a product by option id."""
    return {row.option_id: row.sku for row in _rows(session, store, product_id)}


def save(
    session: Session, store: Store, product_id: str, wanted: Mapping[str, str], *, actor: str, now: datetime
) -> list[Change]:
    """Set the overrides of these options (by id; WHOLE for the product), or remove them where the text is empty.

    Options that are not named stay as they are. Held orders are looked at again at the next poll. The caller commits.
    """
    rows = {row.option_id: row for row in _rows(session, store, product_id)}
    changes = []
    for option_id, sku in wanted.items():
        row = rows.get(option_id)
        before = row.sku if row is not None else ""
        if sku == before:
            continue
        changes.append(Change(option_id, before, sku))
        if row is None:
            row = SkuOverride(store_id=store.id, product_id=product_id, option_id=option_id)
            session.add(row)
        if sku:
            row.sku, row.set_by, row.set_at = sku, actor, now
        else:
            session.delete(row)
    if changes:
        store.products_changed_at = now
    return changes


def what_stops(text: str, option_names: Iterable[str]) -> str:
    """Why this cannot be the SKU of a product with these options ("" among them: alone); empty when it can."""
    if text.upper().startswith(MARKER):
        return "Enter the SKU alone, without “SKU:” before it."
    names = [option_text(name) for name in option_names] or [""]
    found = (problem for name in names for problem in sku_by_hand(text, name, has_options=False)[1])
    return next((problem.sentence for problem in found if problem.stops), "")


def _rows(session: Session, store: Store, product_id: str) -> list[SkuOverride]:
    query = select(SkuOverride).where(SkuOverride.store_id == store.id, SkuOverride.product_id == product_id)
    return list(session.scalars(query))
