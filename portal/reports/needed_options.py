"""What orders need that Big Cartel no longer has: deleted products, and options that their products lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, cast, literal_column, or_, select

from portal.clients.bigcartel import Option
from portal.models import Order, Product, SkuOverride
from portal.models.states import NOT_SENT
from portal.models.stored import StoredLine
from portal.rules.assessment import ProductFacts
from portal.rules.hold_reasons import HoldReason
from portal.rules.options import find_option
from portal.rules.product_skus import rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.rules.product_skus import Row

MAX_ORDERS = 5_000
"""The newest orders of each request that are looked at."""


@dataclass(slots=True)
class Needed:
    """By store id: the lost options as names by id and product id, their rows, and the products that orders wait for.

    ``waiting`` has the names of the products as the orders' items have them.
    """

    lost: dict[int, dict[str, dict[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    rows: dict[int, dict[str, list[Row]]] = field(default_factory=lambda: defaultdict(dict))
    waiting: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))


def needed(session: Session, store_ids: Collection[int], *, have_deleted: bool = False) -> Needed:
    """Return what orders of these stores need. ``have_deleted``: what they wait for matters, too."""
    holds, is_held = cast(Order.holds, Text), Order.state == literal_column("'held'")
    for_lack = and_(
        is_held, or_(*(holds.contains(one.value) for one in (HoldReason.OPTION_GONE, HoldReason.PRODUCT_GONE)))
    )
    concerned = or_(for_lack, Order.state.in_(NOT_SENT)) if have_deleted else for_lack
    query = select(Order.store_id, Order.lines, for_lack).where(Order.store_id.in_(store_ids), concerned)
    found, lacking = Needed(), list[tuple[int, StoredLine]]()
    for store_id, lines, lacks in session.execute(query.order_by(Order.id.desc()).limit(MAX_ORDERS)):
        found.waiting[store_id] |= {str(line["product_id"]): line["name"] for line in lines if line["product_id"]}
        lacking += ((store_id, line) for line in lines if lacks and line["product_id"] and line.get("option_id"))
    known = _facts(session, {(store_id, str(line["product_id"])) for store_id, line in lacking})
    for store_id, line in lacking:
        product_id, option_id, name = str(line["product_id"]), line.get("option_id"), line["option"]
        facts = known.get((store_id, product_id))
        if option_id and facts is not None and find_option(option_id, name, facts.options) is None:
            found.lost[store_id].setdefault(product_id, {})[option_id] = name or f"option {option_id}"
    for store_id, products in found.lost.items():
        for product_id, lost in products.items():
            rows = rows_of(known[store_id, product_id], lost)
            found.rows[store_id][product_id] = [row for row in rows if row.is_gone]
    return found


def _facts(session: Session, keys: Collection[tuple[int, str]]) -> Mapping[tuple[int, str], ProductFacts]:
    """Return what we know about these products, by store and product id, but without their descriptions."""
    if not keys:
        return {}
    query = (
        select(
            Product.store_id,
            Product.product_id,
            Product.options,
            Product.gone,
            SkuOverride.option_id,
            SkuOverride.sku,
        )
        .outerjoin(
            SkuOverride, and_(SkuOverride.store_id == Product.store_id, SkuOverride.product_id == Product.product_id)
        )
        .where(
            Product.store_id.in_({store_id for store_id, _ in keys}),
            Product.product_id.in_({product_id for _, product_id in keys}),
        )
    )
    products: dict[tuple[int, str], tuple[Sequence[dict[str, str]], bool]] = {}
    overrides: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
    for store_id, product_id, options, gone, option_id, sku in session.execute(query):
        products[store_id, product_id] = options, gone
        if sku:
            overrides[store_id, product_id][option_id] = sku
    return {
        key: ProductFacts(
            description="",
            options=tuple(Option(option["id"], option["name"]) for option in options),
            gone=gone,
            override=overrides[key].get("", ""),
            option_overrides={option_id: sku for option_id, sku in overrides[key].items() if option_id},
        )
        for key, (options, gone) in products.items()
    }
