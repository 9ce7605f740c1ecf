"""Assess stored orders: load the merchant's rules and the products as the plain values that portal.rules takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from sqlalchemy import bindparam, func, select

from portal.clients.bigcartel import read_stored
from portal.fulfillment import product_facts, products
from portal.fulfillment.order_edits import read_edits
from portal.models import MarkedRate, Merchant, RateMark, Store, StoredEdits, StoredHold
from portal.rules.assessment import Rules, assess
from portal.rules.hold_reasons import Hold, HoldReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel import BigCartelOrder
    from portal.models import Order
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
    Store.time_zone,
    Store.live,
)
"""Each is named like a field of Rules."""


_merchants, _stores = Merchant.__table__.c, Store.__table__.c
_VERSION = (
    select(_merchants.rules_changed_at, func.max(_stores.products_changed_at))
    .outerjoin(Store.__table__, _stores.merchant_id == _merchants.id)
    .where(_merchants.id == bindparam("merchant"))
    .group_by(_merchants.rules_changed_at)
)


def rules_of(session: Session, store_id: int) -> Rules:
    """Return the rules as they are in the database now, whatever the session has cached."""
    row = session.execute(select(*_RULES).join(Merchant, Merchant.id == Store.merchant_id).where(Store.id == store_id))
    marked = session.execute(select(MarkedRate.name, MarkedRate.mark).where(MarkedRate.store_id == store_id))
    rates: dict[str, Literal["always", "never"]] = {
        name: "never" if mark is RateMark.NEVER else "always" for name, mark in marked
    }
    return Rules(**row.one()._mapping, rates=rates)  # noqa: SLF001 - SQLAlchemy's documented name


def rules_version(session: Session, merchant_id: int) -> tuple[datetime | None, ...]:
    """Return a value that changes with anything that affects whether or how the merchant's orders are sent."""
    return tuple(session.connection().execute(_VERSION, {"merchant": merchant_id}).one())


class Rulebook:
    """The rules and products of the stores whose orders are assessed. Each is read once."""

    def __init__(self, session: Session, *, as_if_live: bool = False) -> None:
        """With ``as_if_live``, assess as if the stores were live and sent all their orders: for a dry run."""
        self._session = session
        self._as_if_live = as_if_live
        self._rules: dict[int, Rules] = {}
        self._facts: dict[int, dict[str, ProductFacts]] = {}

    def load(self, orders: Iterable[tuple[int, BigCartelOrder]]) -> None:
        """Read what is needed to assess these orders, each given with its store's id."""
        wanted: dict[int, set[str]] = {}
        for store_id, order in orders:
            wanted.setdefault(store_id, set()).update(products.ids_in(order))
        self._session.flush()
        for store_id, ids in wanted.items():
            if store_id not in self._rules:
                rules = rules_of(self._session, store_id)
                self._rules[store_id] = replace(rules, live=True, starts_at=None) if self._as_if_live else rules
            known = self._facts.setdefault(store_id, {})
            known.update(product_facts.facts(self._session, store_id, ids - known.keys()))

    def assess(
        self,
        store_id: int,
        order: BigCartelOrder,
        *,
        released: Sequence[StoredHold] | None = None,
        edits: StoredEdits | None = None,
        unlisted_since: datetime | None = None,
    ) -> Assessment:
        """Assess an order that was loaded, with its ``edits``. The holds that a person ``released`` don't count.

        The arguments are what the order's row says: ``Order.released_holds``, ``edits`` and ``unlisted_since``.
        """
        assessment = assess(
            order,
            self._facts[store_id],
            self._rules[store_id],
            is_listed=unlisted_since is None,
            edits=read_edits(edits),
        )
        if not released:
            return assessment
        return replace(assessment, holds=tuple(hold for hold in assessment.holds if not _is_released(hold, released)))


def assess_alone(session: Session, order: Order, edits: StoredEdits | None) -> Assessment:
    """Assess one order as its row says, but with these ``edits``, for an action of a person on it alone."""
    book, document = Rulebook(session), read_stored(order.document)
    book.load([(order.store_id, document)])
    released, unlisted_since = order.released_holds, order.unlisted_since
    return book.assess(order.store_id, document, released=released, edits=edits, unlisted_since=unlisted_since)


def _is_released(hold: Hold, released: Sequence[StoredHold]) -> bool:
    return hold.reason.row.releasable and any(
        one["reason"] == hold.reason and one["detail"] in {"", hold.detail} for one in released
    )


def stored_hold(hold: StoredHold) -> Hold:
    """Return a stored hold as a Hold, with its sentence and remedy.

    A reason that a newer version stored and this one doesn't know becomes UNKNOWN_VALUE.
    """
    known = hold["reason"] in HoldReason.__members__.values()
    return Hold(HoldReason(hold["reason"]) if known else HoldReason.UNKNOWN_VALUE, hold["detail"])
