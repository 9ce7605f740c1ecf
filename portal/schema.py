"""Whether the database has the tables that this version of the portal needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_REVISION = re.compile(r"^(down_)?revision = '(\w+)'$", re.MULTILINE)
"""As migrations/script.py.mako writes it."""
OPTIONAL_INDEXES = frozenset({"ix_orders_number_trigrams"})
"""Indexes that a migration makes only where the database's extensions allow it; the models don't have them."""
NO_TABLES = "It has no tables yet. Run: flask --app wsgi db upgrade"


def is_of_models(_item: object, name: str | None, kind: str, is_in_database: bool, _of: object) -> bool:
    """Return whether Alembic is to compare something in the database with the models."""
    return not (kind == "index" and is_in_database and name in OPTIONAL_INDEXES)


def schema_problem(connection: Connection) -> str:
    """Return what is wrong with the database's tables as a sentence, or "" if this version can use them.

    A revision that this version doesn't know is a newer version's. Migrations only add, so an older version can use its
    tables: whoever goes back to it leaves them in place.
    """
    if not inspect(connection).has_table("alembic_version"):
        return NO_TABLES
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is None:
        return NO_TABLES
    known, newest = revisions()
    if revision in known and revision != newest:
        return "Its tables are out of date. Run: flask --app wsgi db upgrade"
    return ""


def revisions() -> tuple[frozenset[str], str]:
    """Return this version's revisions, and the newest one, which none follows.

    They are read from the files: each worker would keep Alembic in memory for good if it asked Alembic.
    """
    written = [
        found for path in (MIGRATIONS / "versions").glob("*.py") for found in _REVISION.findall(path.read_text())
    ]
    known = {revision for down, revision in written if not down}
    followed = {revision for down, revision in written if down}
    (newest,) = known - followed
    return frozenset(known), newest
