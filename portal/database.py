"""Engine options and hooks: SQLite set up for concurrent processes, PostgreSQL with timeouts."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    from sqlalchemy import Connection, ExceptionContext

BUSY_SECONDS = 30
"""Seconds a SQLite connection waits for another one's write lock."""
LOCK_SECONDS = 30
"""Seconds a PostgreSQL statement waits for another transaction's locks."""
IDLE_SECONDS = 25
"""Seconds after which PostgreSQL ends a transaction that does nothing, as a suspended process leaves it.

Less than LOCK_SECONDS, so that those who wait for its locks get them, and less than a lease lasts, so that its locks
are gone when another worker takes over. No transaction is open during a call to an outside service.
"""
UNREACHABLE_SECONDS = 25
"""Seconds after which PostgreSQL and we give up a connection if the other host has gone without a word.

By default, whoever waits for an answer from there waits for hours, and PostgreSQL keeps the locks of a transaction that
was cut off in the middle of a batch of statements: it doesn't count as idle then. Less than a lease lasts.
"""
_PROBES = {
    "keepalives_idle": UNREACHABLE_SECONDS // 5,
    "keepalives_interval": UNREACHABLE_SECONDS // 5,
    "keepalives_count": 4,
}
_UNCONFIRMED = {"tcp_user_timeout": UNREACHABLE_SECONDS * 1000}


def engine_options(url: str) -> dict[str, Any]:
    """Return the options of SQLAlchemy's create_engine for this URL.

    Errors leave out their statement's parameters, which hold buyers' data, because errors are logged.
    """
    if url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    settings = {
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{int(IDLE_SECONDS * 1000)}ms",
        **{f"tcp_{name}": value for name, value in _PROBES.items()},
        **_UNCONFIRMED,
        # Compiling takes longer than any of our queries.
        "jit": "off",
    }
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": 10,
            **_PROBES,
            **_UNCONFIRMED,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    }


_SQLITE_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
}


def is_unavailable(error: SQLAlchemyError) -> bool:
    """Return whether the database can't be used right now, as opposed to rejecting what we asked for.

    psycopg's OperationalError is a server that is down, restarting, full or out of connections, or a lock that took too
    long. SQLite's is also a missing table, so its result code decides.
    """
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        # Extended result codes have the kind in their lowest byte.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_PASSING
    return error.connection_invalidated or isinstance(error, OperationalError)


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Turn on WAL and full sync: a committed intent survives a power cut, and readers don't wait for the writer."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin_with_the_write_lock(connection: Connection) -> None:
    """Take SQLite's write lock at the start of every transaction, waiting for it if necessary.

    A transaction that read first and wrote later would fail if another one had written in between.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@event.listens_for(Engine, "handle_error")
def _remove_quoted_row(context: ExceptionContext) -> None:
    """Remove the row that PostgreSQL quotes when it breaks a constraint.

    It may hold a buyer's data, and errors are logged.
    """
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            error.args = tuple(arg.partition("\nDETAIL:")[0] if isinstance(arg, str) else arg for arg in error.args)
