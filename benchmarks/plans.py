"""Which tables a statement reads as a whole, according to the database's plan for it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_SCAN = re.compile(r"SCAN (?P<table>\w+)(?: USING (?:COVERING )?INDEX (?P<index>\w+))?")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it went to the driver, with its parameters."""

    sql: str
    parameters: Any


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[Statement]]:
    """Collect the statements that read or write rows while the block runs."""
    found: list[Statement] = []

    def collect(_connection: object, _cursor: object, sql: str, parameters: Any, _context: object, many: bool) -> None:
        if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            found.append(Statement(sql, parameters[0] if many else parameters))

    event.listen(engine, "before_cursor_execute", collect)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", collect)


def plan_of(connection: Connection, statement: Statement) -> list[tuple[Any, ...]]:
    """Return the database's plan for the statement: steps from SQLite, one JSON document from PostgreSQL."""
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN (FORMAT JSON)"
    return [tuple(row) for row in connection.exec_driver_sql(f"{explain} {statement.sql}", statement.parameters)]


def read_as_a_whole(connection: Connection, statement: Statement) -> set[str]:
    """Return the tables that the statement reads as a whole. A scan of an index with few rows isn't one.

    The plan is that of a transaction like the one in which the statement ran: the caller sets the same options.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    rows = plan_of(connection, statement)
    if is_sqlite:
        scans = [_SCAN.match(row[3]) for row in rows]
        scanned = {scan["index"] or scan["table"] for scan in scans if scan is not None}
        # SQLite's own indexes are those of keys.
        scanned |= {scan["table"] for scan in scans if scan is not None and "autoindex" in (scan["index"] or "")}
    else:
        scanned = set(_scans(rows[0][0][0]["Plan"]))
    return {table for table, names in _with_whole_indexes(connection).items() if names & scanned}


def _with_whole_indexes(connection: Connection) -> dict[str, set[str]]:
    """Return the names that stand for all rows of each table: its own, and its indexes' without a condition."""
    inspector = inspect(connection)
    found = {}
    for table in inspector.get_table_names():
        keys = (inspector.get_pk_constraint(table), *inspector.get_unique_constraints(table))
        names = {table, *(str(key["name"]) for key in keys)}
        for index in inspector.get_indexes(table):
            if not any(option.endswith("_where") for option in index.get("dialect_options", {})):
                names.add(str(index["name"]))
        found[table] = names
    return found


def _scans(node: dict[str, Any]) -> Iterator[str]:
    """Yield the table or index of each scan that begins with no row and ends with the last."""
    kind: str = node["Node Type"]
    if kind == "Seq Scan":
        yield node["Relation Name"]
    elif "Index" in kind and "Index Cond" not in node:
        yield node["Index Name"]
    for part in node.get("Plans", ()):
        yield from _scans(part)
