"""Support's pages: the health of every merchant, search, and the audit trail."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import raiseload

from portal.fulfillment.hosts import all_failing
from portal.models import AuditEntry, Merchant, Order, OrderState, Store
from portal.models.account import merchant_id_in
from portal.models.base import MAX_ID
from portal.reports.attention import health
from portal.reports.order_numbers import as_listed, spellings
from portal.reports.overview import OpenOrders, open_orders_by_merchant
from portal.reports.unknown_statuses import merchants_with_unknown_statuses

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.reports.attention import Health

MAX_FOUND = 50
MIN_DIGITS = 4
"""Minimum digits for a search by the end of an order's number; fewer digits are a Merchant Id."""


def everyone(session: Session, now: datetime) -> list[Health]:
    """Return every merchant's health in four queries, regardless of the number of merchants."""
    failing = all_failing(session)
    orders = open_orders_by_merchant(session)
    stores: dict[int, list[Store]] = defaultdict(list)
    for store in session.scalars(select(Store).options(raiseload(Store.merchant)).order_by(Store.id)):
        stores[store.merchant_id].append(store)
    merchants = merchants_with_unknown_statuses(session)
    return [
        health(one, stores[one.id], orders.get(one.id, OpenOrders()), failing, now, unknown_statuses=unknown)
        for one, unknown in merchants.items()
    ]


def matches(one: Health, wanted: str) -> bool:
    """Match the exact Merchant Id or account ID, or part of the name or URL of the merchant or a store."""
    wanted = wanted.casefold()
    if merchant_id_in(wanted) == one.merchant.id or any(wanted == store.account_id for store in one.stores):
        return True
    texts = [one.merchant.name, *(text for store in one.stores for text in (store.name, store.url))]
    return any(wanted in text.casefold() for text in texts)


@dataclass(frozen=True, slots=True)
class Found:
    """One order found by its number."""

    number: str
    state: OrderState
    merchant_id: int
    merchant: str


def orders_numbered(session: Session, number: str) -> list[Found]:
    """Return any merchant's orders with exactly this number, ignoring case and a leading "#".

    If there are none, return the newest whose number ends with these digits, because people often read out only those.
    """
    bare = number.removeprefix("#").strip()
    query = (
        select(Order.number, Order.state, Order.merchant_id, Merchant.name)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .order_by(Order.id.desc())
        .limit(MAX_FOUND)
    )
    rows = session.execute(query.where(Order.number.in_(sorted(spellings(number))))).all()
    if not rows and len(bare) >= MIN_DIGITS and bare.isdecimal():
        rows = session.execute(query.where(as_listed(session, Order.number.endswith(bare)))).all()
    return [Found(*row) for row in rows]


def audit_trail(merchant_id: int | None, actor: str) -> Select[AuditEntry]:
    """Select audit entries of one merchant (None: of all) by actors whose email address contains ``actor``."""
    query = select(AuditEntry)
    if merchant_id is not None:
        # An id out of range finds nothing instead of failing on some databases.
        query = query.where(AuditEntry.merchant_id == (merchant_id if 0 <= merchant_id <= MAX_ID else -1))
    if actor:
        query = query.where(func.lower(AuditEntry.actor).contains(actor.lower(), autoescape=True))
    return query


def names(session: Session, merchant_ids: Collection[int]) -> Mapping[int, str]:
    if not merchant_ids:
        return {}
    rows = session.execute(select(Merchant.id, Merchant.name).where(Merchant.id.in_(merchant_ids)))
    return {row.id: row.name for row in rows}
