"""A row in every table, and what a database holds, whatever its revision."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, insert, inspect, select

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FILLER: dict[type, Any] = {int: 1, str: "as it was", bool: True, datetime: NOW, object: {"as": ["it", "was"]}}
ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("merchants", {"id": 816}),
    ("merchants", {"id": 900}),
    ("users", {"id": 1, "email": "a@b.example", "session_key": "1", "role": "merchant", "merchant_id": 816}),
    ("users", {"id": 2, "email": "c@b.example", "session_key": "2", "role": "support", "merchant_id": None}),
    ("audit_entries", {"merchant_id": 816}),
    ("leases", {}),
    ("stores", {"id": 1, "merchant_id": 816, "account_id": "1"}),
    ("stores", {"id": 2, "merchant_id": 900, "account_id": "2"}),
    ("products", {"store_id": 2}),
    ("sku_overrides", {"store_id": 2}),
    ("orders", {"id": 1, "merchant_id": 816, "store_id": 1, "number": "A-1", "state": "submitted", "claim": ""}),
    ("orders", {"id": 2, "merchant_id": 816, "store_id": 1, "number": "A-2", "state": "submitting", "claim": "me"}),
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
    """Put ROWS into the tables as the database has them now; what a row does not name is filled in."""
    tables = _tables(connection)
    for name, given in ROWS:
        made = {column.name: FILLER[column.type.python_type] for column in tables[name].columns}
        connection.execute(insert(tables[name]).values(made | given))


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    found = {}
    for name, table in _tables(connection).items():
        found[name] = [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
    return found


def structure(connection: Connection) -> dict[str, str]:
    """Every table's columns, keys, constraints and indexes, in words that can be compared."""
    seen = inspect(connection)
    return {
        name: "\n".join(
            sorted(
                str(part)
                for parts in (
                    seen.get_columns(name),
                    [seen.get_pk_constraint(name)],
                    seen.get_foreign_keys(name),
                    seen.get_unique_constraints(name),
                    seen.get_check_constraints(name),
                    seen.get_indexes(name),
                )
                for part in parts
            )
        )
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def _tables(connection: Connection) -> dict[str, Table]:
    """The tables, each after those that it refers to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return {table.name: table for table in metadata.sorted_tables if table.name != "alembic_version"}
