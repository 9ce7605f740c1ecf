"""Rows for every table, and the contents and structure of a database at any revision."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, insert, inspect, select

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FILLER: dict[type, Any] = {int: 1, str: "filler", bool: True, datetime: NOW, object: {"filler": ["a", "b"]}}
ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("merchants", {"id": 816}),
    ("merchants", {"id": 900}),
    ("users", {"id": 1, "email": "a@b.example", "session_key": "1", "role": "merchant", "merchant_id": 816}),
    ("users", {"id": 2, "email": "c@b.example", "session_key": "2", "role": "support", "merchant_id": None}),
    ("log_ins", {"user_id": 1}),
    ("incidents", {"id": 1, "merchant_id": 816, "kind": "orders_rejected"}),
    ("incident_events", {"incident_id": 1}),
    (
        "messages",
        {
            "channel": "email",
            "kind": "incident_opened",
            "merchant_id": 816,
            "user_id": 1,
            "incident_id": 1,
            "next_attempt_at": None,
            "folded_into": None,
        },
    ),
    ("webhook_endpoints", {"merchant_id": 816, "format": "slack"}),
    ("audit_entries", {"merchant_id": 816}),
    ("leases", {}),
    ("chores", {}),
    ("warehouse_checks", {"merchant_id": 816, "verdict": "accepted"}),
    ("hosts", {"name": "fcp"}),
    ("stores", {"id": 1, "merchant_id": 816, "account_id": "1"}),
    ("stores", {"id": 2, "merchant_id": 900, "account_id": "2"}),
    ("products", {"store_id": 2}),
    ("sku_overrides", {"store_id": 2}),
    ("sku_verdicts", {"store_id": 2}),
    ("option_skus", {"store_id": 2}),
    ("marked_rates", {"store_id": 2, "mark": "always"}),
    ("orders", {"id": 1, "merchant_id": 816, "store_id": 1, "number": "A-1", "state": "submitted", "claim": ""}),
    ("orders", {"id": 2, "merchant_id": 816, "store_id": 1, "number": "A-2", "state": "submitting", "claim": "me"}),
    ("order_events", {"merchant_id": 816, "order_id": 1, "from_state": "held", "to_state": "ready"}),
    ("changes_after_sending", {"merchant_id": 816, "order_id": 1}),
    ("notes", {"merchant_id": 816, "order_id": 1}),
    (
        "attempts",
        {"id": 1, "merchant_id": 816, "order_id": 1, "kind": "submit", "trigger": "person", "outcome": "done"},
    ),
    (
        "attempts",
        {
            "id": 2,
            "merchant_id": 816,
            "order_id": 1,
            "kind": "status",
            "trigger": "schedule",
            "outcome": "open",
            "finished_at": None,
        },
    ),
)


def fill(connection: Connection) -> None:
    """Insert ROWS into the tables that the database has, with filler for the columns that a row doesn't name."""
    tables = _tables(connection)
    for name, given in ROWS:
        if name not in tables:
            continue
        filler = {column.name: FILLER[column.type.python_type] for column in tables[name].columns}
        connection.execute(insert(tables[name]).values(filler | given))


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    found = {}
    for name, table in _tables(connection).items():
        found[name] = [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
    return found


def structure(connection: Connection) -> dict[str, str]:
    """Return every table's columns, keys, constraints and indexes as comparable text."""
    inspector = inspect(connection)
    return {
        name: "\n".join(
            sorted(
                str(part)
                for parts in (
                    inspector.get_columns(name),
                    [inspector.get_pk_constraint(name)],
                    inspector.get_foreign_keys(name),
                    inspector.get_unique_constraints(name),
                    inspector.get_check_constraints(name),
                    inspector.get_indexes(name),
                )
                for part in parts
            )
        )
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def _tables(connection: Connection) -> dict[str, Table]:
    """Return the tables, each after the tables it references."""
    metadata = MetaData()
    metadata.reflect(connection)
    return {table.name: table for table in metadata.sorted_tables if table.name != "alembic_version"}
