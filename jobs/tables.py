"""Keep a process from starting on a database that a migration is missing from: every job would fail."""

from __future__ import annotations

import sys

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from portal.database import engine_options
from portal.schema import schema_problem


def exit_if_outdated(program: str, database_url: str) -> None:
    """Exit with a sentence if this version can't use the database's tables.

    Its supervisor starts it again, so it begins to work once the migrations are applied. If the database doesn't
    answer, return: the programs wait for it themselves.
    """
    engine = create_engine(database_url, **engine_options(database_url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            problem = schema_problem(connection)
    except SQLAlchemyError:
        return
    if problem:
        sys.exit(f"{program} can't use the database yet. {problem}")
