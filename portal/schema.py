"""Whether the database has the tables that this version of the portal needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


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
