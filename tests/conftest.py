"""The servers that tests run against, started once, and a fresh database for each test that needs one."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import flask_migrate
import hypothesis
import pytest
from cryptography.fernet import Fernet
from redis import Redis
from sqlalchemy import NullPool, create_engine, make_url, text

from config import Settings, load_settings
from embedded import postgres, redis

if TYPE_CHECKING:
    from collections.abc import Iterator


# Property tests also run on busy machines: no time limit per example.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-tests-0123456789-abcdefghij"
TOKEN_KEY = Fernet.generate_key().decode()
MEMORY = Path("/dev/shm")  # noqa: S108 - each test session has a folder of its own there
ROOM_IN_MEMORY = 1 << 30
"""Bytes. A container may have only 64 MB."""
BROWSER_NOTE = pytest.StashKey[str]()
"""What the end of the test run says about the browser tests; see tests/browser/chromium.py."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass the note from an xdist worker to the process that prints the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["browser_note"] = session.config.stash.get(BROWSER_NOTE, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the note from an xdist worker. A worker that crashed has no output."""
    if note := getattr(node, "workeroutput", {}).get("browser_note"):
        node.config.stash[BROWSER_NOTE] = note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the note."""
    if note := config.stash.get(BROWSER_NOTE, ""):
        terminalreporter.write_line(note, yellow=True)


def settings_for(database_url: str, **settings: str) -> Settings:
    """Return complete settings for a test. Others are passed by their environment variable names."""
    made = {"SECRET_KEY": SECRET_KEY, "TOKEN_KEYS": TOKEN_KEY, "DATABASE_URL": database_url}
    return load_settings({**made, **settings})


def migrated(url: str) -> None:
    """Migrate an empty database to the newest revision and disconnect from it."""
    from portal import create_app  # noqa: PLC0415 - most tests need no app
    from portal.extensions import db  # noqa: PLC0415

    with create_app(settings_for(url)).app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        db.engine.dispose()


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """Restore the log level: commands lower it for the rest of their process."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server for the whole test session."""
    with redis.start(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis server."""
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL database whose user may create more."""
    with postgres.start() as url:
        yield make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated PostgreSQL database to copy."""
    name = f"template_{uuid4().hex}"
    _execute(postgres_server, f"CREATE DATABASE {name}")
    migrated(_database(postgres_server, name))
    yield name
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_folder() -> Iterator[Path]:
    """A folder for SQLite files: in memory if there is room, because SQLite waits for the disk at each commit."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_IN_MEMORY
    with TemporaryDirectory(prefix="portal-tests-", dir=MEMORY if has_room else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def sqlite_template(sqlite_folder: Path) -> Path:
    """A migrated SQLite file to copy."""
    path = sqlite_folder / "template.sqlite3"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> Iterator[str]:
    """The URL of a fresh, migrated SQLite database, alone in its folder."""
    with TemporaryDirectory(dir=sqlite_template.parent, ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "portal.sqlite3"
        shutil.copyfile(sqlite_template, path)
        yield f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield _database(postgres_server, name)
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database. A test with this fixture runs on both SQLite and PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


def _database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _execute(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))
