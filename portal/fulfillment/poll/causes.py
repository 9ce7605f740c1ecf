"""Why orders on hold were released: what a person or Big Cartel changed since they were last assessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from portal.fulfillment import products
from portal.fulfillment.poll.products_to_fix import COMMITTED_WITHIN
from portal.fulfillment.rulebook import stored_hold
from portal.models import AuditEntry, Merchant, SkuOverride, Store
from portal.models.base import chunks
from portal.wording.history import FIXED_IN_BIG_CARTEL, SETTINGS_CHANGED, SKU_SET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartelOrder
    from portal.models import StoredHold


class Cause(NamedTuple):
    """A change that may have released orders; ``actor`` is who made it, "" if it came from Big Cartel."""

    at: datetime
    reason: str
    actor: str = ""


@dataclass(slots=True)
class Causes:
    """What changed last: the merchant's settings, the store's products in Big Cartel, and SKUs set by hand."""

    settings: Cause
    in_big_cartel: Cause | None = None
    skus: dict[str, Cause] = field(default_factory=dict)
    """By product id."""

    def of(self, order: BigCartelOrder, holds: Sequence[StoredHold], assessed_at: datetime | None) -> Cause | None:
        """Return why these holds ended after ``assessed_at``, None if nothing that we know of has changed since."""
        skus: list[Cause] = []
        others = [self.settings]
        if any(stored_hold(hold).reason.row.depends_on_product for hold in holds):
            skus = [self.skus[product_id] for product_id in products.ids_in(order) if product_id in self.skus]
            others += [self.in_big_cartel] if self.in_big_cartel is not None else []
        return _latest(skus, assessed_at) or _latest(others, assessed_at)


def _latest(causes: Sequence[Cause], assessed_at: datetime | None) -> Cause | None:
    since = assessed_at - COMMITTED_WITHIN if assessed_at is not None else None
    return max((one for one in causes if since is None or one.at > since), key=lambda one: one.at, default=None)


def read_causes(session: Session, store: Store, orders: Sequence[BigCartelOrder]) -> Causes:
    """Return what may have released these orders of the store."""
    merchant_id = store.merchant_id
    changed = select(Merchant.rules_changed_at, Store.products_changed_at).join(Store, Store.merchant_id == Merchant.id)
    settings_at, products_at = session.execute(changed.where(Store.id == store.id)).one()
    # Whoever changes a setting leaves an audit entry of the same time.
    entry = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.merchant_id == merchant_id, AuditEntry.at == settings_at)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    settings = Cause(settings_at, SETTINGS_CHANGED)
    if entry is not None:
        settings = Cause(settings_at, entry.action, entry.actor)
    causes = Causes(settings, Cause(products_at, FIXED_IN_BIG_CARTEL) if products_at is not None else None)
    for some in chunks(sorted({product_id for order in orders for product_id in products.ids_in(order)})):
        overrides = select(SkuOverride).where(SkuOverride.store_id == store.id, SkuOverride.product_id.in_(some))
        for row in session.scalars(overrides.order_by(SkuOverride.set_at)):
            causes.skus[row.product_id] = Cause(row.set_at, SKU_SET, row.set_by)
    return causes
