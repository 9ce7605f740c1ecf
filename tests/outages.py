"""Take a test's database away for a while."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine, make_url, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def database_away(database_url: str, postgres_server: Callable[[], str]) -> Iterator[None]:
    """Lock the SQLite file, or end every connection to the PostgreSQL database and let it take no new one."""
    url = make_url(database_url)
    if url.drivername == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    server = create_engine(postgres_server(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS false"))
        kill = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        connection.execute(kill, {"name": url.database})
        yield
        connection.execute(text(f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS true"))
