"""Looking at stored orders with the rules: what the rows know of a merchant and its products, as plain values."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from portal.fulfillment import products
from portal.fulfillment.holds import HoldReason, Line, Rules, assess
from portal.models import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import Order
    from portal.fulfillment.holds import Assessment, ProductFacts


RELEASABLE = frozenset({HoldReason.LOCAL_PICKUP})
"""Holds that rest on a guess: a person who has looked may release the order."""
_LINE = tuple(one.name for one in fields(Line))


def rules_of(store: Store) -> Rules:
    merchant = store.merchant
    return Rules(
        domestic_service=merchant.domestic_service,
        international_service=merchant.international_service,
        territories_domestic=merchant.territories_domestic,
        submit_unpaid=merchant.submit_unpaid,
        ignore_items_without_sku=merchant.ignore_items_without_sku,
        paused=merchant.paused,
        test_mode=merchant.test_mode,
        starts_at=store.starts_at,
        live=store.live,
    )


class Rulebook:
    """The rules and the products of the stores whose orders are looked at, read once per store and product."""

    def __init__(self, session: Session, *, as_if_live: bool = False) -> None:
        """With ``as_if_live``, as if all orders of the stores were to be sent: for a rehearsal."""
        self._session = session
        self._as_if_live = as_if_live
        self._rules: dict[int, Rules] = {}
        self._facts: dict[int, dict[str, ProductFacts]] = {}

    def learn(self, orders: Iterable[tuple[int, Order]]) -> None:
        """Read what is needed to assess these orders, given with their stores' ids."""
        wanted: dict[int, set[str]] = {}
        for store_id, order in orders:
            wanted.setdefault(store_id, set()).update(products.ids_in(order))
        self._session.flush()
        for store_id, ids in wanted.items():
            if store_id not in self._rules:
                rules = rules_of(self._session.get_one(Store, store_id, populate_existing=True))
                self._rules[store_id] = replace(rules, live=True, starts_at=None) if self._as_if_live else rules
            known = self._facts.setdefault(store_id, {})
            known.update(products.facts(self._session, store_id, ids - known.keys()))

    def assess(self, store_id: int, order: Order, *, released: bool = False) -> Assessment:
        """The order must have been among those learned. For a released one, what only looked so does not hold it."""
        assessment = assess(order, self._facts[store_id], self._rules[store_id])
        if not released:
            return assessment
        return replace(assessment, holds=tuple(hold for hold in assessment.holds if hold.reason not in RELEASABLE))


def assessed_columns(assessment: Assessment, now: datetime) -> dict[str, Any]:
    """What the row of an order keeps of its assessment."""
    return {
        "holds": [{"reason": hold.reason.value, "detail": hold.detail} for hold in assessment.holds],
        "lines": [{name: getattr(line, name) for name in _LINE} for line in assessment.lines],
        "shipping_code": assessment.shipping_code.value if assessment.shipping_code else "",
        "service": assessment.service,
        "assessed_at": now,
    }


def held_columns(assessment: Assessment, now: datetime) -> dict[str, Any]:
    return assessed_columns(assessment, now) | {"claim": "", "next_attempt_at": None}
