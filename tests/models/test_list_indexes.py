"""What pages list and count of many attempts and orders is found by index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine, select, text

from benchmarks import many_stores
from benchmarks.plans import plan_of, statements_of
from portal import create_app
from portal.extensions import db
from portal.forms.attempts import SupportAttemptFilters
from portal.listing import ByTime
from portal.models import Attempt, Order, OrderState
from portal.reports import order_counts, order_numbers, overview
from portal.reports.order_conditions import in_state
from portal.reports.store_days import UTC_DAYS
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ATTEMPTS = """
INSERT INTO attempts
    (merchant_id, order_id, kind, trigger, started_at, finished_at, outcome, words, explanation, request, answer)
SELECT merchant_id, id, '{kind}', 'schedule', state_changed_at, state_changed_at,
    CASE WHEN id % 400 = 0 THEN 'refused' ELSE 'done' END, '', '', '', ''
FROM orders
"""


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The portal with 8,000 orders of 10 merchants. All were sent, and only statuses were asked for since."""
    filling = create_engine(database_url, poolclass=NullPool)
    with filling.begin() as connection:
        many_stores.fill(connection, 10, 8_000, NOW)
        for kind in ("submit", "status"):
            connection.execute(text(ATTEMPTS.format(kind=kind)))
        if filling.dialect.name == "sqlite":
            connection.execute(text("ANALYZE"))
    if filling.dialect.name == "postgresql":
        with filling.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    made = create_app(settings_for(database_url))
    yield made
    with made.app_context():
        db.engine.dispose()


def _plan(app: Flask, address: str, run: Callable[[], object]) -> str:
    """Return the plan of the last statement that is run, with each name followed by a space."""
    with app.test_request_context(address), statements_of(db.engine) as statements:
        run()
        plan = plan_of(db.session.connection(), statements[-1])
        db.session.remove()
    return str(plan).replace("'", " ")


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ("outcome=refused", "ix_attempts_outcome"),
        ("outcome=open", "ix_attempts_outcome"),
        ("outcome=refused&kind=mark_shipped", "ix_attempts_outcome"),
        ("outcome=refused&merchant=3", "ix_attempts_merchant_outcome"),
    ],
)
def test_attempts_that_are_not_done_are_found_by_index(app: Flask, filters: str, index: str) -> None:
    def first_page() -> None:
        query = SupportAttemptFilters().narrow(select(Attempt.id)).order_by(Attempt.id.desc()).limit(51)
        db.session.execute(query).all()

    assert f"{index} " in _plan(app, f"/?{filters}", first_page)


def test_last_order_sent_is_found_without_reading_the_attempts_since(app: Flask) -> None:
    assert "ix_attempts_sent " in _plan(app, "/", lambda: overview.last_sent(db.session(), 3))


def test_orders_per_day_are_counted_by_an_index_alone(app: Flask) -> None:
    plan = _plan(app, "/", lambda: overview.history(db.session(), 3, UTC_DAYS, NOW + timedelta(days=8)))
    assert "ix_orders_days " in plan
    assert "Index Only Scan" in plan or "COVERING INDEX" in plan


@pytest.mark.parametrize(
    "count",
    [lambda: overview.open_orders(db.session(), 3), lambda: overview.open_orders_by_merchant(db.session())],
    ids=["of one merchant", "by merchant"],
)
def test_indexes_alone_count_open_orders_but_those_on_hold(app: Flask, count: Callable[[], object]) -> None:
    plan = _plan(app, "/", count)
    assert "ix_orders_missing " in plan
    # SQLite reads the few that are missing, too.
    assert plan.count("Index Only Scan") == 4 or plan.count("COVERING INDEX") == 3


def test_an_index_alone_counts_orders_by_shipping_code(app: Flask) -> None:
    domestic = select(Order).where(Order.merchant_id == 3, Order.shipping_code == "DOMESTIC_DEFAULT")
    plan = _plan(app, "/", lambda: order_counts.counts(db.session(), domestic))
    assert plan.count("ix_orders_merchant_states ") == 3
    assert plan.count("Index Only Scan") == 3 or plan.count("COVERING INDEX") == 3


@pytest.mark.parametrize(
    ("state", "is_oldest_first", "skipped", "index"),
    [
        (None, False, None, "ix_orders_age"),
        (None, True, 300, "ix_orders_age"),
        (OrderState.COMPLETED, True, None, "ix_orders_state_age"),
        (OrderState.COMPLETED, False, 300, "ix_orders_state_age"),
    ],
)
def test_page_of_orders_by_age_is_found_by_index(
    app: Flask, state: OrderState | None, is_oldest_first: bool, skipped: int | None, index: str
) -> None:
    own = select(Order).where(Order.merchant_id == 3)
    by_age = ByTime(own, Order.placed_at, Order.id, is_oldest_first)
    query = own.where(in_state(state)) if state else own
    after = None
    with app.app_context():
        db.session.execute(text("UPDATE orders SET placed_at = first_seen_at"))
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        db.session.commit()
        if skipped is not None:
            after = db.session.scalars(
                query.with_only_columns(Order.id).order_by(Order.placed_at).offset(skipped)
            ).first()
    plan = _plan(app, "/", lambda: by_age.rows(query, after, 51))
    assert f"{index} " in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_whole_number_is_found_by_index(app: Flask) -> None:
    number = next(iter(order_numbers.spellings("nr-400")))
    plan = _plan(app, "/", lambda: order_numbers.as_listed(db.session(), Order.number == number))
    assert "ix_orders_number " in plan


def test_an_index_alone_finds_part_of_a_number(app: Flask) -> None:
    plan = _plan(app, "/", lambda: order_numbers.numbered(db.session(), "0400", [3]))
    # SQLite's index of the same columns has a name of its own.
    assert ("Index Only Scan" in plan and "uq_orders_store_id_number " in plan) or "COVERING INDEX" in plan
