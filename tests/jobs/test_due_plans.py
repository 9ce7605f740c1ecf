"""How the databases find what is due: by index, however many stores and orders there are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine, select, text
from sqlalchemy.orm import Session

from benchmarks import many_stores
from benchmarks.plans import Statement, plan_of, read_as_a_whole, statements_of
from portal.database import engine_options
from portal.engine.leases import leased
from portal.fulfillment import due as due_now
from portal.fulfillment.due import due
from portal.fulfillment.poll.claims import claimed
from portal.fulfillment.purge import purge
from portal.fulfillment.submit.run import recover
from portal.models import Order, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

STORES, ORDERS = 2_000, 20_000
LARGE = {"stores", "merchants", "orders"}
NOW = datetime.now(UTC)
LATER = (
    "UPDATE stores SET next_poll_at = next_poll_at + interval '2 minutes'",
    "UPDATE merchants SET last_tracked_at = last_tracked_at + interval '2 minutes'",
)
USUAL, TICK = "SET LOCAL enable_seqscan = on", "SET LOCAL enable_seqscan = off"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with many stores. PostgreSQL knows what is in it; nobody tells SQLite."""
    filling = create_engine(database_url, poolclass=NullPool)
    with filling.begin() as connection:
        many_stores.fill(connection, STORES, ORDERS, NOW)
    if filling.dialect.name == "postgresql":
        with filling.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    made = create_engine(database_url, **engine_options(database_url))
    yield made
    made.dispose()


def test_what_is_due_is_found_by_index(engine: Engine) -> None:
    with Session(engine) as session:
        with statements_of(engine) as statements:
            found = due(session, track_seconds=many_stores.TRACK_SECONDS, now=NOW)
            session.commit()
        assert all((found.polls, found.products, found.submits, found.settles, found.tracks, found.credentials))
        assert len(found.polls) < STORES / 10
        assert _read_as_a_whole(session, statements, TICK) == {}

        with statements_of(engine) as statements:
            for merchant_id in (1, STORES):
                due_now.is_submit_due(session, merchant_id, NOW)
                due_now.is_settle_due(session, merchant_id, NOW)
                due_now.is_track_due(session, merchant_id, track_seconds=1, now=NOW)
                due_now.is_refresh_due(session, merchant_id, NOW)
                due_now.is_dry_run_due(session, merchant_id)
            assert list(claimed(session, found.polls[:20], lambda: NOW))
        assert _read_as_a_whole(session, statements) == {}

        if engine.dialect.name == "postgresql":
            # PostgreSQL's statistics are from two minutes ago, and say that every store is due.
            for change in LATER:
                session.execute(text(change))
            session.commit()
            with statements_of(engine) as statements:
                due(session, track_seconds=many_stores.TRACK_SECONDS, now=NOW + timedelta(minutes=2))
                session.commit()
            assert _read_as_a_whole(session, statements, TICK) == {}


def test_orders_at_the_warehouse_are_read_from_one_index(engine: Engine) -> None:
    """Their age is in it: most of the orders that aren't complete may be at the warehouse."""
    with Session(engine) as session:
        with statements_of(engine) as statements:
            due(session, track_seconds=many_stores.TRACK_SECONDS, now=NOW)
            session.commit()
        (there,) = (one for one in statements if f"'{OrderState.SUBMITTED}'" in one.sql)
        connection = session.connection()
        if engine.dialect.name == "postgresql":
            connection.execute(text(TICK))
        used = set(re.findall(r"ix_orders_\w+|SCAN orders|Seq Scan", str(plan_of(connection, there))))
        assert used - {"ix_orders_due"} == {"ix_orders_at_the_warehouse"}


def test_orders_to_purge_and_to_recover_are_found_by_index(engine: Engine) -> None:
    with Session(engine) as session:
        with statements_of(engine) as statements:
            assert sum(purge(session, days=89, now=NOW))
        due_for_it = next(one for one in statements if "ORDER BY orders.state, orders.state_changed_at" in one.sql)
        assert "ix_orders_unpurged" in str(plan_of(session.connection(), due_for_it))
        assert _read_as_a_whole(session, statements) == {}

        abandoned = session.scalars(select(Order.merchant_id).where(Order.state == OrderState.SUBMITTING)).first()
        assert abandoned is not None
        with leased(session, f"submit:{abandoned}") as lease, statements_of(engine) as statements:
            assert recover(session, abandoned, lease, NOW)
        assert _read_as_a_whole(session, statements) == {}


def test_reading_a_whole_table_is_seen(database_url: str) -> None:
    whole = [Statement("SELECT document FROM orders", ()), Statement("SELECT id FROM stores WHERE name LIKE 'x'", ())]
    with Session(create_engine(database_url, poolclass=NullPool)) as session:
        assert set().union(*_read_as_a_whole(session, whole).values()) == {"orders", "stores"}
        counted = Statement("SELECT count(*) FROM merchants", ())
        assert _read_as_a_whole(session, [counted], TICK) == {counted.sql: {"merchants"}}


def _read_as_a_whole(session: Session, statements: Sequence[Statement], options: str = USUAL) -> dict[str, set[str]]:
    """Return the statements that read a whole large table, with those tables."""
    assert statements
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(text(options))
    found = {one.sql: read_as_a_whole(connection, one) & LARGE for one in statements}
    session.rollback()
    return {sql: tables for sql, tables in found.items() if tables}
