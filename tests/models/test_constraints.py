"""The database rejects impossible rows, no matter who writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, NullPool, create_engine, text
from sqlalchemy.exc import IntegrityError

from portal.models import Base
from tests.models.rows import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

FOREIGN_KEYS = {
    "fk_orders_store_id_merchant_id_stores",
    "fk_attempts_order_id_merchant_id_orders",
    "fk_order_events_order_id_merchant_id_orders",
    "fk_changes_after_sending_order_id_merchant_id_orders",
    "fk_notes_order_id_merchant_id_orders",
}
REJECTED = [
    ("ck_merchants_id", "UPDATE merchants SET id = 0 WHERE id = 900"),
    ("ck_merchants_fcp_failures", "UPDATE merchants SET fcp_failures = -1"),
    ("ck_users_role", "UPDATE users SET role = 'owner' WHERE id = 1"),
    ("ck_users_merchant_id", "UPDATE users SET merchant_id = NULL WHERE id = 1"),
    ("ck_users_merchant_id", "UPDATE users SET merchant_id = 816 WHERE id = 2"),
    ("ck_stores_poll_failures", "UPDATE stores SET poll_failures = -1"),
    ("ck_orders_state", "UPDATE orders SET state = 'sent' WHERE id = 1"),
    ("ck_orders_state", "UPDATE orders SET state = 'SUBMITTED' WHERE id = 1"),
    ("ck_orders_failures", "UPDATE orders SET failures = -1 WHERE id = 1"),
    ("ck_orders_claim", "UPDATE orders SET claim = '' WHERE id = 2"),
    ("ck_orders_claim", "UPDATE orders SET state = 'unconfirmed' WHERE id = 2"),
    ("ck_orders_submitted_at", "UPDATE orders SET submitted_at = NULL WHERE id = 1"),
    ("ck_orders_submitted_at", "UPDATE orders SET state = 'shipped', submitted_at = NULL WHERE id = 1"),
    ("ck_orders_submitted_at", "UPDATE orders SET state = 'completed', submitted_at = NULL WHERE id = 1"),
    ("ck_orders_completed_at", "UPDATE orders SET state = 'completed', completed_at = NULL WHERE id = 1"),
    ("ck_attempts_kind", "UPDATE attempts SET kind = 'cancel'"),
    ("ck_attempts_trigger", "UPDATE attempts SET trigger = ''"),
    ("ck_attempts_outcome", "UPDATE attempts SET outcome = 'failed' WHERE id = 1"),
    ("ck_attempts_finished_at", "UPDATE attempts SET finished_at = NULL WHERE id = 1"),
    ("ck_attempts_finished_at", "UPDATE attempts SET outcome = 'done' WHERE id = 2"),
    ("ck_marked_rates_mark", "UPDATE marked_rates SET mark = 'maybe'"),
    ("ck_incidents_orders", "UPDATE incidents SET orders = -1"),
    ("ck_incidents_most_orders", "UPDATE incidents SET orders = 2, most_orders = 1"),
    ("ck_messages_channel", "UPDATE messages SET channel = 'pigeon'"),
    ("ck_messages_tries", "UPDATE messages SET tries = -1"),
    ("ck_messages_sent_at", "UPDATE messages SET next_attempt_at = created_at"),
    ("ck_webhook_endpoints_format", "UPDATE webhook_endpoints SET format = 'xml'"),
    ("ck_warehouse_checks_verdict", "UPDATE warehouse_checks SET verdict = 'maybe'"),
    ("ck_hosts_name", "UPDATE hosts SET name = 'other'"),
    ("fk_orders_store_id_merchant_id_stores", "UPDATE orders SET merchant_id = 900 WHERE id = 2"),
    ("fk_orders_store_id_merchant_id_stores", "UPDATE orders SET store_id = 2 WHERE id = 2"),
    ("fk_orders_store_id_merchant_id_stores", "UPDATE orders SET store_id = 99 WHERE id = 2"),
    ("fk_orders_store_id_merchant_id_stores", "UPDATE stores SET merchant_id = 900 WHERE id = 1"),
    ("fk_orders_store_id_merchant_id_stores", "DELETE FROM stores WHERE id = 1"),
    ("fk_attempts_order_id_merchant_id_orders", "UPDATE attempts SET merchant_id = 900"),
    ("fk_order_events_order_id_merchant_id_orders", "UPDATE order_events SET merchant_id = 900"),
    ("fk_changes_after_sending_order_id_merchant_id_orders", "UPDATE changes_after_sending SET merchant_id = 900"),
    ("fk_notes_order_id_merchant_id_orders", "UPDATE notes SET merchant_id = 900"),
    ("fk_attempts_order_id_merchant_id_orders", "UPDATE attempts SET order_id = 99"),
    ("fk_attempts_order_id_merchant_id_orders", "DELETE FROM orders WHERE id = 1"),
]
ACCEPTED = [
    "UPDATE orders SET merchant_id = 900, store_id = 2 WHERE id = 2",
    "UPDATE orders SET state = 'unconfirmed', claim = '', submitted_at = NULL, completed_at = NULL WHERE id = 2",
    "UPDATE orders SET state = 'closed', submitted_at = NULL WHERE id = 1",
    "UPDATE orders SET failures = 0",
    "UPDATE attempts SET outcome = 'interrupted', finished_at = started_at WHERE id = 2",
]


@pytest.fixture
def filled(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        fill(connection)
    with engine.connect() as connection:
        yield connection


def test_impossible_rows_are_rejected(filled: Connection) -> None:
    is_sqlite = filled.dialect.name == "sqlite"  # it doesn't say which foreign key failed
    for constraint, statement in REJECTED:
        named = "FOREIGN KEY constraint failed" if is_sqlite and constraint.startswith("fk_") else constraint
        assert named in _error_of(filled, statement), statement


def test_possible_rows_are_accepted(filled: Connection) -> None:
    assert [_error_of(filled, statement) for statement in ACCEPTED] == [""] * len(ACCEPTED)


def _error_of(connection: Connection, statement: str) -> str:
    """Return the database's error for the statement, or "" if it accepts it. Rolls the statement back."""
    savepoint = connection.begin_nested()
    try:
        assert connection.execute(text(statement)).rowcount
    except IntegrityError as error:
        return str(error.orig)
    finally:
        savepoint.rollback()
    return ""


def test_every_constraint_has_a_rejected_row() -> None:
    """A CHECK that nothing here breaks might reject nothing."""
    constraints = [constraint for table in Base.metadata.tables.values() for constraint in table.constraints]
    checks = {str(constraint.name) for constraint in constraints if isinstance(constraint, CheckConstraint)}
    owners = {
        str(constraint.name)
        for constraint in constraints
        if isinstance(constraint, ForeignKeyConstraint) and len(constraint.columns) > 1
    }
    assert owners == FOREIGN_KEYS
    assert {constraint for constraint, _ in REJECTED} == checks | owners
