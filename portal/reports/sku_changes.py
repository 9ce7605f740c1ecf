"""Which SKUs changed lately because their products were changed in Big Cartel, and how often those were sold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from portal.models import OptionSku, Order, SkuDrift, SkuVerdict
from portal.reports.order_conditions import has_product

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.models import Store, StoredLine

SHOWN_FOR = timedelta(days=14)
MOST_DRIFTS = 500
MOST_SHOWN = 10
SOLD_DAYS = 30
MOST_ORDERS = 5_000
"""The newest orders in which the items are counted."""


@dataclass(slots=True)
class Changed:
    """What one edit did to a product's SKUs: of several options, ``before`` and ``after`` are without their names.

    ``after`` is "" if no SKU can be sent now. ``sold`` are pieces; ``is_at_least`` says that there may be more.
    """

    product_id: str
    name: str
    before: str
    after: str
    at: datetime
    options: int
    sold: int = 0
    is_at_least: bool = False


@dataclass(frozen=True, slots=True)
class _Drift:
    """From the first to the last change of one option's SKU."""

    product_id: str
    option_id: str
    name: str
    option: str
    old_sku: str
    new_sku: str
    at: datetime

    @property
    def texts(self) -> tuple[str, str]:
        """Return both SKUs without the option's name, if it is appended to both."""
        if not (self.option and self.old_sku.endswith(self.option)) or not f"{self.new_sku or self.option}".endswith(
            self.option
        ):
            return self.old_sku, self.new_sku
        return self.old_sku.removesuffix(self.option), self.new_sku.removesuffix(self.option)


def recent(session: Session, owned: Select[Order], store: Store, now: datetime) -> list[Changed]:
    """Return the latest changes that are still in force, newest first, in at most two statements.

    ``owned`` selects the orders that the viewer may see.
    """
    grouped: dict[tuple[str, str, str], list[_Drift]] = defaultdict(list)
    for one in _drifts(session, store, now - SHOWN_FOR):
        grouped[one.product_id, *one.texts].append(one)
    newest = sorted(grouped.values(), key=lambda group: max(one.at for one in group), reverse=True)[:MOST_SHOWN]
    found = [_changed(group) for group in newest]
    if found:
        _count_sold(session, owned.where(Order.store_id == store.id), list(zip(found, newest, strict=True)), now)
    return found


def _drifts(session: Session, store: Store, since: datetime) -> list[_Drift]:
    """Return the SKUs that are other than before ``since``, unless somebody has set them by hand since then."""
    query = (
        select(SkuDrift, OptionSku.sku, SkuVerdict.name)
        .outerjoin(
            OptionSku,
            and_(
                OptionSku.store_id == SkuDrift.store_id,
                OptionSku.product_id == SkuDrift.product_id,
                OptionSku.option_id == SkuDrift.option_id,
            ),
        )
        .join(SkuVerdict, and_(SkuVerdict.store_id == SkuDrift.store_id, SkuVerdict.product_id == SkuDrift.product_id))
        .where(SkuDrift.store_id == store.id, SkuDrift.at >= since)
        .order_by(SkuDrift.at.desc(), SkuDrift.id.desc())
        .limit(MOST_DRIFTS)
    )
    steps: dict[tuple[str, str], list[SkuDrift]] = defaultdict(list)
    present: dict[tuple[str, str], tuple[str, str]] = {}
    for step, sku, name in session.execute(query):
        key = step.product_id, step.option_id
        steps[key].append(step)
        present[key] = sku or "", name
    found = []
    for key, (last, *earlier) in steps.items():
        first, (sku, name) = [last, *earlier][-1], present[key]
        if last.new_sku == sku != first.old_sku:
            option = last.option if all(one.option == last.option for one in earlier) else ""
            found.append(_Drift(*key, name, option, first.old_sku, last.new_sku, last.at))
    return found


def _changed(group: Sequence[_Drift]) -> Changed:
    one = group[0]
    before, after = one.texts if len(group) > 1 else (one.old_sku, one.new_sku)
    at = max(each.at for each in group)
    return Changed(one.product_id, one.name, before, after, at, options=len(group) if one.option else 0)


def _count_sold(
    session: Session, orders: Select[Order], found: Sequence[tuple[Changed, Sequence[_Drift]]], now: datetime
) -> None:
    ids = {changed.product_id for changed, _ in found}
    has_one = or_(*(has_product(one) for one in sorted(ids)))
    lately = orders.where(Order.first_seen_at >= now - timedelta(days=SOLD_DAYS), has_one)
    newest = session.scalars(lately.with_only_columns(Order.lines).order_by(Order.id.desc()).limit(MOST_ORDERS)).all()
    items = [line for lines in newest for line in lines if line["product_id"] in ids]
    for changed, group in found:
        changed.sold = sum(line["quantity"] for line in items if _is_of(line, group))
        changed.is_at_least = len(newest) == MOST_ORDERS


def _is_of(line: StoredLine, group: Sequence[_Drift]) -> bool:
    """Return whether an item is of one of these options. Without options, items may not name the only one."""
    return any(
        line["product_id"] == one.product_id
        and (line.get("option_id") == one.option_id or line["sku"] in {one.old_sku, one.new_sku} - {""})
        for one in group
    )
