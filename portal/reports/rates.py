"""The shipping rates of a store: those that its orders name, and those that the merchant marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clients.bigcartel import read_stored
from portal.models import MarkedRate, Order
from portal.rules.pickup import is_pickup, is_pickup_discount, rate_key, rate_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import RateMark, Store

LAST = 200
"""Recent orders whose rates are listed."""
MAX_RATES = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate. ``orders`` counts the recent orders with it; ``sounds_like_pickup`` is our guess from its name."""

    name: str
    orders: int
    sounds_like_pickup: bool
    mark: RateMark | None


def rates_of(session: Session, store: Store) -> list[Rate]:
    """Return the store's rates: marked ones first, then those that sound like a pickup, then by name.

    Discounts are listed only if they sound like a pickup.
    """
    documents = session.scalars(
        select(Order.document)
        .where(Order.store_id == store.id, Order.purged_at.is_(None))
        .order_by(Order.id.desc())
        .limit(LAST)
    )
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    pickups: set[str] = set()
    for document in documents:
        order = read_stored(document)
        found = {label: is_pickup(label) for label in order.labels}
        found |= {label: True for label in order.discounts if is_pickup_discount(label)}
        for label, sounds_like_pickup in found.items():
            key = rate_key(rate_name(label))
            names.setdefault(key, rate_name(label))
            counts[key] = counts.get(key, 0) + 1
            if sounds_like_pickup:
                pickups.add(key)
    rows = session.execute(select(MarkedRate.name, MarkedRate.mark).where(MarkedRate.store_id == store.id))
    marks = {row.name: row.mark for row in rows}
    rates = [
        Rate(names.get(key, key), counts.get(key, 0), key in pickups or is_pickup(key), marks.get(key))
        for key in {**names, **dict.fromkeys(marks)}
    ]
    rates.sort(key=lambda rate: (rate.mark is None, not rate.sounds_like_pickup, rate.name.casefold()))
    return rates[:MAX_RATES]
