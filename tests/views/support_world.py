"""Helpers for the tests of support's pages: many merchants, and what a table says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from portal.extensions import db
from portal.models import Merchant, Order, OrderState, Store
from tests.views.page import text, text_in

if TYPE_CHECKING:
    from bs4 import Tag
    from flask import Flask

HERE = "/support/merchants"
NOW = datetime.now(UTC)


def rows(page: Tag, caption: str = "Merchants and their health") -> list[list[str]]:
    for table in page.select("table"):
        if text_in(table, "caption") == caption:
            return [[text(cell) for cell in row.select("th, td")] for row in table.select("tbody tr")]
    return []


def ago(**duration: float) -> datetime:
    """Return a moment before this one: pages say for how long something has been so."""
    return datetime.now(UTC) - timedelta(**duration)


def put_crowd(app: Flask, merchants: int, orders: int) -> None:
    """Add merchants with one store each, and orders spread evenly over them and over all states."""
    with app.app_context():
        ids = range(10_001, 10_001 + merchants)
        db.session.execute(
            insert(Merchant),
            [
                {"id": n, "name": f"Merchant {n}", "sealed_token": "x", "rules_changed_at": NOW, "created_at": NOW}
                for n in ids
            ],
        )
        db.session.execute(
            insert(Store),
            [
                {
                    "id": n, "merchant_id": n, "account_id": f"a{n}", "name": f"Store {n}", "sealed_token": "x",
                    "connected_at": NOW, "live": True,
                }
                for n in ids
            ],
        )  # fmt: skip
        states = list(OrderState)
        db.session.commit()
        if not orders:
            return
        db.session.execute(
            insert(Order),
            [
                {
                    "merchant_id": ids[n % merchants], "store_id": ids[n % merchants], "number": f"C-{n}",
                    "state": states[n % len(states)], "state_changed_at": NOW, "document": "x" * 2500,
                    "first_seen_at": NOW, "placed_at": NOW, "next_attempt_at": NOW,
                    "submitted_at": NOW, "completed_at": NOW,
                    "claim": "worker" if states[n % len(states)] == "submitting" else "",
                    "holds": [{"reason": "no_sku", "detail": "the mug"}] if states[n % len(states)] == "held" else [],
                }
                for n in range(orders)
            ],
        )  # fmt: skip
        db.session.commit()
