"""The migrations create exactly the tables of the models, and can be reversed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, NullPool, create_engine, inspect

from portal import create_app
from portal.extensions import db
from portal.models import Base
from portal.schema import MIGRATIONS, is_of_models, revisions
from tests.conftest import settings_for

if TYPE_CHECKING:
    from sqlalchemy import Connection


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_migrated_tables_match_the_models(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_of_models})
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_revisions_in_the_files_are_those_of_alembic() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = frozenset(script.revision for script in scripts.walk_revisions())
    assert revisions() == (known, scripts.get_current_head())


def test_migrated_checks_match_the_models(database_url: str) -> None:
    """Alembic doesn't compare CHECKs, so they are compared with those of tables created from the models."""
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        migrated = _checks(connection)
        tables = MetaData()
        tables.reflect(connection)
        tables.drop_all(connection)
        Base.metadata.create_all(connection)
        assert _checks(connection) == migrated


def _checks(connection: Connection) -> dict[str, dict[str | None, str]]:
    return {
        table: {
            check["name"]: " ".join(str(check["sqltext"]).split())
            for check in inspect(connection).get_check_constraints(table)
        }
        for table in Base.metadata.tables
    }


def test_every_migration_can_be_reversed(database_url: str) -> None:
    with create_app(settings_for(database_url)).app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        assert set(Base.metadata.tables) <= set(inspect(db.engine).get_table_names())
        db.engine.dispose()
