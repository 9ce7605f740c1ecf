"""All merchants at once, for support: how each is, which one is meant, and what people did."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import raiseload

from portal.models import AuditEntry, Merchant, Order, OrderState, Store
from portal.models.base import MAX_ID
from portal.reports.attention import health
from portal.reports.overview import OpenOrders, open_orders_by_merchant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.reports.attention import Health

MAX_FOUND = 50
FEWEST_DIGITS = 4
"""Of an order's number, for a search by its end; fewer are a Merchant Id."""


def everyone(session: Session, now: datetime) -> list[Health]:
    """Every merchant, trouble first. Three queries, however many there are."""
    orders = open_orders_by_merchant(session)
    stores: dict[int, list[Store]] = defaultdict(list)
    for store in session.scalars(select(Store).options(raiseload(Store.merchant)).order_by(Store.id)):
        stores[store.merchant_id].append(store)
    merchants = session.scalars(select(Merchant))
    found = [health(one, stores[one.id], orders.get(one.id, OpenOrders()), now) for one in merchants]
    return sorted(found, key=lambda one: one.rank)


def is_meant(one: Health, wanted: str) -> bool:
    """By Merchant Id or account id exactly, by the merchant's or a shop's name or address in part."""
    wanted = wanted.casefold()
    if wanted == str(one.merchant.id) or any(wanted == store.account_id for store in one.stores):
        return True
    texts = [one.merchant.name, *(text for store in one.stores for text in (store.name, store.url))]
    return any(wanted in text.casefold() for text in texts)


@dataclass(frozen=True, slots=True)
class Found:
    """One order that was looked for by its number."""

    number: str
    state: OrderState
    merchant_id: int
    merchant: str


def orders_numbered(session: Session, number: str) -> list[Found]:
    """The orders of any merchant with exactly this number, in either case, with or without "#" before it.

    Without one, the newest whose number ends like it, as people read out the digits alone.
    """
    bare = number.removeprefix("#").strip()
    query = (
        select(Order.number, Order.state, Order.merchant_id, Merchant.name)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .order_by(Order.id.desc())
        .limit(MAX_FOUND)
    )
    rows = session.execute(query.where(Order.number.in_({number, bare, bare.upper(), bare.lower()}))).all()
    if not rows and len(bare) >= FEWEST_DIGITS and bare.isdecimal():
        rows = session.execute(query.where(Order.number.endswith(bare, autoescape=True))).all()
    return [Found(*row) for row in rows]


def audit_trail(merchant_id: int | None, actor: str) -> Select[AuditEntry]:
    """Entries of all merchants, or of one; of everybody, or of those whose e-mail address has this part."""
    query = select(AuditEntry)
    if merchant_id is not None:
        # A number that no merchant can have finds nothing, on every database.
        query = query.where(AuditEntry.merchant_id == (merchant_id if 0 <= merchant_id <= MAX_ID else -1))
    if actor:
        query = query.where(func.lower(AuditEntry.actor).contains(actor.lower(), autoescape=True))
    return query


def names(session: Session, merchant_ids: Collection[int]) -> Mapping[int, str]:
    if not merchant_ids:
        return {}
    rows = session.execute(select(Merchant.id, Merchant.name).where(Merchant.id.in_(merchant_ids)))
    return {row.id: row.name for row in rows}
