"""Whether the database has the tables that this version of the portal needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
OPTIONAL_INDEXES = frozenset({"ix_orders_number_trigrams"})
"""Indexes that a migration makes only where the database's extensions allow it; the models don't have them."""


def is_of_models(_item: object, name: str | None, kind: str, is_in_database: bool, _of: object) -> bool:
    """Return whether Alembic is to compare something in the database with the models."""
    return not (kind == "index" and is_in_database and name in OPTIONAL_INDEXES)


def schema_problem(connection: Connection) -> str:
    """Return what is wrong with the database's tables as a sentence, or "" if this version can use them.

    A revision that this version doesn't know is a newer version's. Migrations only add, so an older version can use its
    tables: whoever goes back to it leaves them in place.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return "It has no tables yet. Run: flask --app wsgi db upgrade"
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = {script.revision for script in scripts.walk_revisions()}
    if revision in known and revision != scripts.get_current_head():
        return "Its tables are out of date. Run: flask --app wsgi db upgrade"
    return ""
