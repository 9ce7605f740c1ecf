"""The migrations make exactly the tables of the models, forwards and backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask_migrate
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, NullPool, create_engine, inspect

from portal import MIGRATIONS, create_app
from portal.extensions import db
from portal.models import Base
from tests.conftest import settings_for

if TYPE_CHECKING:
    from sqlalchemy import Connection


def test_migrated_tables_are_those_of_the_models(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []


def test_migrated_checks_are_those_of_the_models(database_url: str) -> None:
    """Alembic compares no CHECKs, so they are compared here: with those of tables made from the models themselves."""
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


def test_every_migration_can_be_taken_back(database_url: str) -> None:
    with create_app(settings_for(database_url)).app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        assert set(Base.metadata.tables) <= set(inspect(db.engine).get_table_names())
        db.engine.dispose()
