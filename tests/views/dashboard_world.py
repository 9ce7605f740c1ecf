"""Helpers for the dashboard tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from portal.extensions import db
from portal.models import Merchant, Order, OrderState, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World

    Clients = Callable[[str | None], FlaskClient]


HERE = "/m/816/"
LIVE = {"HX-Request": "true", "HX-Target": "live"}
CONNECT = ("/connect", "/BigCartel/")


def change(app: Flask, kind: type[Merchant | Store], key: int, **values: Any) -> None:
    with app.app_context():
        row = db.session.get_one(kind, key)
        for name, value in values.items():
            setattr(row, name, value)
        db.session.commit()


def is_due(app: Flask, store_id: int) -> bool:
    with app.app_context():
        due_at = db.session.get_one(Store, store_id).next_poll_at
    return due_at is not None and due_at <= datetime.now(UTC)


def place(app: Flask, world: World, placed: datetime, state: OrderState, count: int = 1, **columns: Any) -> None:
    """Add ``count`` orders in a state, all placed and first seen at ``placed``."""
    with app.app_context():
        start = len(db.session.scalars(select(Order.id)).all())
        rows = [
            {
                "merchant_id": 816, "store_id": world.store_id, "number": f"N-{start + n}", "state": state,
                "state_changed_at": placed, "document": "{}", "placed_at": placed, "first_seen_at": placed,
                "next_attempt_at": placed, "submitted_at": placed, "completed_at": placed, **columns,
            }
            for n in range(count)
        ]  # fmt: skip
        db.session.execute(insert(Order), rows)
        db.session.commit()
