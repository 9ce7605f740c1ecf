"""Looking at stored orders with the rules: what the rows know of a merchant and its products, as plain values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from portal.fulfillment import products
from portal.models import Merchant, Store, StoredHold
from portal.rules.assessment import Rules, assess
from portal.rules.hold_reasons import Hold, HoldReason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartelOrder
    from portal.rules.assessment import Assessment, ProductFacts


_RULES = (
    Merchant.domestic_service,
    Merchant.international_service,
    Merchant.territories_domestic,
    Merchant.submit_unpaid,
    Merchant.ignore_items_without_sku,
    Merchant.paused,
    Merchant.test_mode,
    Store.starts_at,
    Store.live,
)
"""Named like the fields of Rules."""


_merchants, _stores = Merchant.__table__.c, Store.__table__.c
_VERSION = (
    select(_merchants.rules_changed_at, func.max(_stores.products_changed_at))
    .outerjoin(Store.__table__, _stores.merchant_id == _merchants.id)
    .where(_merchants.id == bindparam("merchant"))
    .group_by(_merchants.rules_changed_at)
)


def rules_of(session: Session, store_id: int) -> Rules:
    """As the database has them now, whatever the session holds of the merchant and the store."""
    row = session.execute(select(*_RULES).join(Merchant, Merchant.id == Store.merchant_id).where(Store.id == store_id))
    return Rules(**row.one()._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


def rules_version(session: Session, merchant_id: int) -> tuple[datetime | None, ...]:
    """Differs as soon as something has changed by which orders of the merchant are held, released or sent otherwise."""
    return tuple(session.connection().execute(_VERSION, {"merchant": merchant_id}).one())


class Rulebook:
    """The rules and the products of the stores whose orders are looked at, read once per store and product."""

    def __init__(self, session: Session, *, as_if_live: bool = False) -> None:
        """With ``as_if_live``, as if all orders of the stores were to be sent: for a rehearsal."""
        self._session = session
        self._as_if_live = as_if_live
        self._rules: dict[int, Rules] = {}
        self._facts: dict[int, dict[str, ProductFacts]] = {}

    def learn(self, orders: Iterable[tuple[int, BigCartelOrder]]) -> None:
        """Read what is needed to assess these orders, given with their stores' ids."""
        wanted: dict[int, set[str]] = {}
        for store_id, order in orders:
            wanted.setdefault(store_id, set()).update(products.ids_in(order))
        self._session.flush()
        for store_id, ids in wanted.items():
            if store_id not in self._rules:
                rules = rules_of(self._session, store_id)
                self._rules[store_id] = replace(rules, live=True, starts_at=None) if self._as_if_live else rules
            known = self._facts.setdefault(store_id, {})
            known.update(products.facts(self._session, store_id, ids - known.keys()))

    def assess(self, store_id: int, order: BigCartelOrder, *, released: bool = False) -> Assessment:
        """The order must have been among those learned. For a released one, what only looked so does not hold it."""
        assessment = assess(order, self._facts[store_id], self._rules[store_id])
        if not released:
            return assessment
        return replace(assessment, holds=tuple(hold for hold in assessment.holds if not hold.reason.row.releasable))


def stored_hold(hold: StoredHold) -> Hold:
    """Return a hold of an order's row, with its sentence and remedy.

    A newer version may have stored a reason that this one does not know.
    """
    known = hold["reason"] in HoldReason.__members__.values()
    return Hold(HoldReason(hold["reason"]) if known else HoldReason.UNKNOWN_VALUE, hold["detail"])
