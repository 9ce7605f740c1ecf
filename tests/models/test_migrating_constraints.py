"""Adding constraints to a database in use loses nothing, leaves nothing half done and blocks no one."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import flask_migrate
import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from portal import create_app
from portal.extensions import db
from portal.schema import MIGRATIONS
from tests.conftest import settings_for
from tests.models.rows import ROWS, contents, fill, structure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEFORE, AFTER = "1eb88bf85eed", "7c1f0a5d92be"
INTERRUPTED_AT = {
    "sqlite": ["RENAME TO orders", "RENAME TO attempts"],
    "postgresql": [
        "CREATE UNIQUE INDEX CONCURRENTLY uq_orders_merchant_id_id",
        "ALTER TABLE attempts ADD CONSTRAINT ck_attempts_kind",
        "VALIDATE CONSTRAINT fk_attempts_order_id_merchant_id_orders",
        "DROP INDEX CONCURRENTLY ix_orders_merchant",
    ],
}
LEFT_BY_A_KILL = (
    "CREATE UNIQUE INDEX uq_stores_merchant_id_id ON stores (merchant_id, id)",
    "ALTER TABLE stores ADD CONSTRAINT uq_stores_merchant_id_id UNIQUE USING INDEX uq_stores_merchant_id_id",
    "CREATE UNIQUE INDEX uq_orders_merchant_id_id ON orders (merchant_id, id)",
    "ALTER TABLE orders ADD CONSTRAINT ck_orders_failures CHECK (failures >= 0) NOT VALID",
    "ALTER TABLE orders ADD CONSTRAINT fk_orders_store_id_merchant_id_stores "  # noqa: ISC004 - one statement
    "FOREIGN KEY (store_id, merchant_id) REFERENCES stores (id, merchant_id) NOT VALID",
    "ALTER TABLE orders DROP CONSTRAINT fk_orders_store_id_stores",
    "DROP INDEX ix_orders_merchant",
)
WRITES = (
    "UPDATE merchants SET paused = paused",
    "UPDATE users SET email = email",
    "UPDATE stores SET live = live",
    "UPDATE orders SET failures = failures",
    "UPDATE attempts SET words = words",
)


class Database:
    """A database, with an app to migrate it and a connection of its own to inspect it."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, poolclass=NullPool)
        self.app = create_app(settings_for(url))

    def migrate(self, step: Callable[..., None], revision: str) -> None:
        with self.app.app_context():
            try:
                step(directory=str(MIGRATIONS), revision=revision)
            finally:
                db.engine.dispose()

    def upgrade(self) -> None:
        self.migrate(flask_migrate.upgrade, AFTER)

    def state(self) -> tuple[dict[str, str], dict[str, list[tuple[Any, ...]]]]:
        with self.engine.connect() as connection:
            return structure(connection), contents(connection)

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
def database(database_url: str) -> Database:
    made = Database(database_url)
    made.migrate(flask_migrate.downgrade, BEFORE)
    with made.engine.begin() as connection:
        fill(connection)
    return made


@contextmanager
def before_each(do: Callable[[str], None]) -> Iterator[None]:
    """Call ``do`` with every statement before it is executed."""

    def listener(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        do(statement)

    event.listen(Engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listener)


def test_upgrade_and_downgrade_keep_all_rows(database: Database) -> None:
    structure_before, rows = database.state()
    assert {name for name, _ in ROWS} >= set(rows)
    database.upgrade()
    structure_after, rows_after = database.state()
    assert rows_after == rows
    assert structure_after != structure_before
    database.migrate(flask_migrate.downgrade, BEFORE)
    assert database.state() == (structure_before, rows)


def test_broken_rows_stop_the_upgrade_before_it_changes_anything(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.run("UPDATE orders SET state = 'sent', merchant_id = 900 WHERE id = 2")
    before = database.state()
    with caplog.at_level(logging.ERROR), pytest.raises(SystemExit):
        database.upgrade()
    assert database.state() == before
    assert "Nothing was changed" in caplog.text
    for constraint in ("ck_orders_state", "fk_orders_store_id_merchant_id_stores"):
        assert f"rows of orders break {constraint}: id 2" in caplog.text

    database.run("UPDATE orders SET state = 'submitting', merchant_id = 816 WHERE id = 2")
    database.upgrade()
    assert database.state()[0] != before[0]


def test_failed_upgrade_is_rolled_back(database: Database) -> None:
    before = database.state()
    for fragment in INTERRUPTED_AT[database.engine.dialect.name]:

        def fail(statement: str, fragment: str = fragment) -> None:
            if fragment in statement:
                raise RuntimeError("the server went away")

        with before_each(fail), pytest.raises(SystemExit):
            database.upgrade()
        assert database.state() == before, fragment
    database.upgrade()
    assert database.state()[0] != before[0]


def test_upgrade_succeeds_after_one_that_was_killed(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.migrate(flask_migrate.downgrade, AFTER)
    expected = database.state()[0]
    database.migrate(flask_migrate.downgrade, BEFORE)
    database.run(*LEFT_BY_A_KILL)
    database.upgrade()
    assert database.state()[0] == expected


def test_upgrade_lets_an_open_transaction_finish(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.migrate(flask_migrate.downgrade, AFTER)
    expected = database.state()[0]
    database.migrate(flask_migrate.downgrade, BEFORE)
    busy = database.engine.connect()
    tries = []

    def hold(statement: str) -> None:
        if "ALTER TABLE orders ADD CONSTRAINT" in statement:
            tries.append(statement)
            if len(tries) == 1:
                busy.connection.cursor().execute("LOCK TABLE orders IN ROW EXCLUSIVE MODE")
            else:
                busy.connection.commit()

    with busy, before_each(hold):
        database.upgrade()
    assert len(tries) == 2
    assert database.state()[0] == expected


def test_other_sessions_write_while_rows_are_checked(postgres_url: str) -> None:
    """Statements that lock a table read no rows, and statements that read rows start without any lock held."""
    database = Database(postgres_url)
    database.migrate(flask_migrate.downgrade, BEFORE)
    with database.engine.begin() as connection:
        fill(connection)
    tried, locking = [], []

    def write(statement: str) -> None:
        if " ADD CONSTRAINT " in statement:
            locking.append(statement)
        if "VALIDATE" in statement or "CONCURRENTLY" in statement:
            tried.append(statement)
            with database.engine.connect() as other:
                cursor = other.connection.cursor()
                cursor.execute("SET lock_timeout = '2s'")
                for update in WRITES:
                    cursor.execute(update)
                cursor.connection.commit()

    with before_each(write):
        database.upgrade()
    assert any("VALIDATE CONSTRAINT fk_attempts_order_id_merchant_id_orders" in statement for statement in tried)
    added = [part for statement in locking for part in statement.split(", ADD ") if " USING INDEX " not in part]
    assert len(added) > len(locking)
    assert [part for part in added if not part.endswith(" NOT VALID")] == []
    not_validated = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
    with database.engine.connect() as connection:
        assert connection.execute(text(not_validated)).all() == []
