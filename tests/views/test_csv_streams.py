"""CSV files are sent while they are read: in parts, each read in a short transaction of its own."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from portal.clock import utc_now
from portal.extensions import db
from portal.listing import CSV_PART
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order, OrderState, Trigger
from tests.views.counting import statements
from tests.views.products.products_world import add

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World

ROWS = 4 * CSV_PART + 1
PATHS = ("/m/816/orders/orders.csv", "/m/816/attempts/attempts.csv", "/m/816/products/products.csv")


@pytest.fixture
def much(app: Flask, world: World) -> World:
    """A merchant with more rows of each kind than a few parts have."""
    now = utc_now()
    with app.app_context():
        session = db.session()
        order = {
            "merchant_id": 816, "store_id": world.store_id, "state": OrderState.CLOSED, "state_changed_at": now,
            "first_seen_at": now, "document": "{}",
        }  # fmt: skip
        session.execute(insert(Order), [{**order, "number": f"FERN-{number:06}"} for number in range(ROWS)])
        ids = session.scalars(select(Order.id).where(Order.number.like("FERN-%"))).all()
        attempt = {
            "merchant_id": 816, "kind": AttemptKind.STATUS, "trigger": Trigger.SCHEDULE, "started_at": now,
            "finished_at": now, "outcome": AttemptOutcome.DONE,
        }  # fmt: skip
        session.execute(insert(Attempt), [{**attempt, "order_id": one} for one in ids])
        session.commit()
    add(app, world.store_id, *((str(n), f"Mug {n:04}", f"SKU:MUG-{n}", ()) for n in range(ROWS)))
    return world


@pytest.mark.parametrize("path", PATHS)
def test_file_is_sent_before_it_is_read_to_its_end(
    app: Flask, much: World, client_of: Callable[[str | None], FlaskClient], path: str
) -> None:
    client = client_of(much.owner)
    client.get(path).get_data()
    names = [f"Mug {n:04}" if "products" in path else f"FERN-{n:06}" for n in range(ROWS)]
    with statements(app) as ran:
        answer = client.get(path, buffered=False)
        parts, at_first = list[bytes](), 0
        for part in answer.iter_encoded():
            parts.append(part)
            at_first = at_first or len(ran)
            assert not _is_in_transaction(app), "a slow reader would keep it open"
        answer.close()
    assert len(ran) >= at_first + 4, "all but the titles is read later"
    assert max(map(len, parts)) < sum(map(len, parts)) / 3
    rows = csv.reader(io.StringIO(b"".join(parts).decode("utf-8-sig")))
    assert Counter(cell for row in rows for cell in row[:2] if cell.startswith(("FERN-00", "Mug "))) == Counter(names)


def _is_in_transaction(app: Flask) -> bool:
    with app.app_context():
        return bool(db.engine.pool.checkedout())  # type: ignore[attr-defined]  # of the pools with a size


def test_memory_does_not_grow_with_the_file(
    app: Flask, much: World, client_of: Callable[[str | None], FlaskClient]
) -> None:
    client = client_of(much.owner)
    client.get(PATHS[0]).get_data()
    tracemalloc.start()
    try:
        answer = client.get(PATHS[0], buffered=False)
        parts = iter(answer.iter_encoded())
        for _ in range(3):
            next(parts)
        tracemalloc.reset_peak()
        early = len(next(parts)) and tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        for _ in parts:
            pass
        assert tracemalloc.get_traced_memory()[1] < early * 1.2
        answer.close()
    finally:
        tracemalloc.stop()
