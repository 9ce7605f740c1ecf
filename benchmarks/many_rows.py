"""A PostgreSQL database with many merchants, orders, attempts and products, filled by the server itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert, literal_column, select, text

from portal.clock import utc_now
from portal.extensions import db
from portal.models import Attempt, Merchant, Order, OrderSearch, Product, Role, Store, User
from portal.people import log_ins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.models import Base

BUSIEST = 816
"""The merchant that has half of all orders; the others follow and share the rest. Its store has the same id."""
SUPPORT = "support@benchmark.example"
ATTEMPTS_PER_ORDER = 5
OTHERS_PRODUCTS = 20

# In SQL, by column. Rows are numbered n; every second one is the busiest merchant's.
_PRODUCT = {
    "product_id": "CAST(n AS varchar)",
    "name": "'Product ' || n",
    "status": "'active'",
    # One in fifty has no SKU.
    "description": (
        "repeat('<p>Handmade in small numbers, washed twice, and packed in paper.</p>', 12)"
        " || CASE WHEN n % 50 > 0 THEN '<p>SKU:GOODS-' || n || '-</p>' ELSE '' END"
    ),
    "options": """CAST('[{"id": "1", "name": "Small"}, {"id": "2", "name": "Large"}]' AS json)""",
    "fetched_at": "now()",
}
# Of a thousand orders, 960 are complete, 10 closed, 10 on hold, and the others on their way.
_NTH = "(n / 2) % 1000"
_PLACED = "now() - (:orders - n) * (interval '365 days' / :orders)"
_ORDER = {
    "number": (
        "upper(translate(substr(md5(CAST(n AS varchar)), 1, 4), '0123456789', 'GHJKLMNPQR'))"
        " || '-' || lpad(CAST(CAST(n AS bigint) * 7919 % 1000000 AS varchar), 6, '0')"
    ),
    "state": (
        f"CASE WHEN {_NTH} < 960 THEN 'completed' WHEN {_NTH} < 970 THEN 'closed' WHEN {_NTH} < 980 THEN 'held'"
        f" WHEN {_NTH} < 992 THEN 'submitted' WHEN {_NTH} < 996 THEN 'ready' WHEN {_NTH} < 998 THEN 'rejected'"
        " ELSE 'shipped' END"
    ),
    "document": (
        """'{"data": {"id": "ABCD-123456", "type": "orders", "attributes": {"customer_first_name": "Ada","""
        """ "customer_last_name": "Example", "shipping_address_1": "1 Example Street","""
        """ "shipping_city": "Springfield", "shipping_state": "OR", "shipping_zip": "97477","""
        """ "customer_note": "' || repeat('As always. ', 40) || '"}}}'"""
    ),
    "holds": (
        f"""CAST(CASE WHEN {_NTH} BETWEEN 970 AND 979 THEN '[{{"reason": "no_sku", "detail": "Product 50"}}]'"""
        " ELSE '[]' END AS json)"
    ),
    "lines": (
        """CAST('[{"item_id": "1", "name": "Product 1", "option": "Small", "product_id": "1", "option_id": "1","""
        """ "sku": "GOODS-1-SMALL", "quantity": 1, "source": "description", "left_out": false, "problems": []}]'"""
        " AS json)"
    ),
    "shipping_code": "CASE WHEN n % 20 < 18 THEN 'DOMESTIC_DEFAULT' ELSE 'INTERNATIONAL_DEFAULT' END",
    "service": "'USPS_MEDIA'",
    "fcp_order_id": "CAST(n AS varchar)",
    "fcp_status": "'Shipped'",
    "shipped_on": "'2026-11-20'",
    "carrier": "'USPS'",
    "tracking_numbers": """CAST('["94001' || lpad(CAST(n AS varchar), 17, '0') || '"]' AS json)""",
}
_ORDER |= dict.fromkeys(
    (
        "state_changed_at",
        "placed_at",
        "updated_at",
        "first_seen_at",
        "submitted_at",
        "completed_at",
        "next_attempt_at",
    ),
    _PLACED,
)
# One buyer in twenty is a Smith, and of the other merchants one is a Jones; of 5,000 other surnames, each has as many.
_SURNAME = (
    "CASE WHEN orders.id / 2 % 20 = 0 THEN 'smith'"
    f" WHEN orders.id / 2 % 20 = 1 AND orders.merchant_id <> {BUSIEST} THEN 'jones'"
    " ELSE 'sur' || substr(md5(CAST(orders.id / 2 % 5000 AS varchar)), 1, 6) END"
)
_SEARCH = {
    "order_id": "orders.id",
    "merchant_id": "orders.merchant_id",
    "terms": (
        "'=' || orders.merchant_id || ' ' || lower(replace(number, '-', '')) || ' ' || split_part(number, '-', 2)"
        " || ' name' || substr(md5(CAST(orders.id / 2 % 697 AS varchar)), 1, 4)"
        f" || ' ' || {_SURNAME} || ' buyer' || orders.id || '@example' || orders.id % 300 || 'com'"
        " || ' 94001' || lpad(fcp_order_id, 17, '0') || ' goods' || orders.id % 2000 || 'small'"
    ),
}
_ATTEMPT = {
    "merchant_id": "merchant_id",
    "order_id": "orders.id",
    "kind": "CASE n WHEN 1 THEN 'submit' WHEN 5 THEN 'mark_shipped' ELSE 'status' END",
    "trigger": "'schedule'",
    "started_at": "placed_at + n * interval '7 minutes'",
    "departed_at": "placed_at + n * interval '7 minutes'",
    "finished_at": "placed_at + n * interval '7.01 minutes'",
    # One order in a thousand was rejected at first.
    "outcome": "CASE WHEN n = 1 AND orders.id / 2 % 1000 = 7 THEN 'refused' ELSE 'done' END",
    "http_status": "200",
    "request": "repeat('r', 300)",
    "answer": "repeat('a', 300)",
}


@dataclass(frozen=True, slots=True)
class Size:
    attempts: int
    merchants: int
    products: int
    """Of the busiest merchant's store."""

    @classmethod
    def of_orders(cls, orders: int, *, merchants: int, products: int) -> Size:
        return cls(orders * ATTEMPTS_PER_ORDER, merchants, products)

    @property
    def orders(self) -> int:
        return self.attempts // ATTEMPTS_PER_ORDER


@dataclass(frozen=True, slots=True)
class Known:
    """Rows of the busiest merchant to look for, nine tenths down its lists."""

    number: str
    deep_order: int
    deep_attempt: int


def fill(session: Session, size: Size, *, with_attempts: bool = True) -> Known:
    """Fill the empty database. Return some of what is in it. Commits."""
    now = datetime.now(UTC)
    ids = [BUSIEST + nth for nth in range(size.merchants)]
    merchant = {"sealed_token": "", "rules_changed_at": now, "created_at": now}
    session.execute(insert(Merchant), [{**merchant, "id": one, "name": f"Shop {one}"} for one in ids])
    store = {"sealed_token": "sealed", "live": True, "connected_at": now, "products_refreshed_at": now}
    session.execute(insert(Store), [{**store, "id": one, "merchant_id": one, "account_id": str(one)} for one in ids])
    session.add(User(email=SUPPORT, password_hash="none", session_key="none", role=Role.SUPPORT, created_at=now))
    others = f"{BUSIEST + 1} + n / 2 % {size.merchants - 1}"
    theirs = f"CASE WHEN n % 2 = 1 THEN {BUSIEST} ELSE {others} END"
    _insert(session, Product, {**_PRODUCT, "store_id": str(BUSIEST)}, size.products)
    _insert(session, Product, {**_PRODUCT, "store_id": f"{BUSIEST + 1} + n % {size.merchants - 1}"},
            OTHERS_PRODUCTS * (size.merchants - 1))  # fmt: skip
    orders = {name: value.replace(":orders", str(size.orders)) for name, value in _ORDER.items()}
    _insert(session, Order, {**orders, "merchant_id": theirs, "store_id": theirs}, size.orders)
    _insert(session, OrderSearch, _SEARCH, 1, of=", orders ORDER BY orders.id")
    if with_attempts:
        _insert(session, Attempt, _ATTEMPT, ATTEMPTS_PER_ORDER, of=", orders ORDER BY n, orders.id")
    known = _known(session, size)
    session.commit()
    # As autovacuum does: the planner knows the tables, and indexes alone answer counts.
    engine = session.get_bind().engine
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return known


def log_in(app: Flask, client: FlaskClient, email: str) -> None:
    """Log the client in without the log-in page."""
    with app.app_context():
        user = db.session.scalars(select(User).where(User.email == email)).one()
        log_ins.start(db.session(), user, is_remembered=True, now=utc_now())
        key = user.get_id()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = key, True


def _insert(session: Session, kind: type[Base], values: Mapping[str, str], rows: int, *, of: str = "") -> None:
    """Insert numbered rows, with the model's defaults for the columns without values."""
    columns: list[ColumnElement[object]] = [literal_column(value) for value in values.values()]
    query = select(*columns).select_from(text(f"generate_series(1, {rows}) AS n{of}"))
    session.execute(insert(kind).from_select(list(values), query))


def _known(session: Session, size: Size) -> Known:
    orders = select(Order.id, Order.number).where(Order.merchant_id == BUSIEST).order_by(Order.id.desc())
    order = session.execute(orders.offset(size.orders * 9 // 20).limit(1)).one()
    attempts = select(Attempt.id).where(Attempt.merchant_id == BUSIEST).order_by(Attempt.id.desc())
    attempt = session.scalars(attempts.offset(size.attempts * 9 // 20).limit(1)).first() or 0
    return Known(order.number, order.id, attempt)
