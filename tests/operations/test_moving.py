"""Moving to another machine: another database and another Redis, with the commands of docs/operations.md."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from embedded import redis
from portal import create_app
from portal.database import engine_options
from portal.extensions import db
from portal.models import Role, User
from tests.logged_in import log_in_as
from tests.operations.documented import block, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from config import Settings
    from tests.jobs.site import Site

EMAIL = "sam@example.com"
PREPARE = block("flask --app wsgi db upgrade\nflask --app wsgi after-restore")


@pytest.fixture
def new_machine(portal: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """The settings of the new machine: only its database, which is empty, and its Redis differ."""
    settings = portal.world.settings
    for folder in ("old", "new", "new/instance", "new-redis"):
        (tmp_path / folder).mkdir()
    with redis.start(tmp_path / "new-redis") as redis_url:
        if settings.database_url.startswith("sqlite"):
            file = tmp_path / "new" / "instance" / "portal.sqlite3"
            yield replace(settings, database_url=f"sqlite:///{file}", redis_url=redis_url)
            return
        server = create_engine(
            request.getfixturevalue("postgres_server"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        name = f"moved_{uuid4().hex}"
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        url = make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)
        yield replace(settings, database_url=url, redis_url=redis_url)
        portal.stop()
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def browser_at(settings: Settings) -> Iterator[FlaskClient]:
    """A browser at the web process with these settings."""
    app = create_app(settings)
    yield app.test_client()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def log_in(settings: Settings) -> str:
    """Log in, and return the session cookie."""
    with browser_at(settings) as browser:
        log_in_as(browser.application, browser, EMAIL)
        cookie = browser.get_cookie("session")
    assert cookie is not None
    return cookie.value


def status_of_account_page(settings: Settings, cookie: str) -> int:
    with browser_at(settings) as browser:
        browser.set_cookie("session", cookie)
        return browser.get("/account").status_code


def move(old: Settings, new: Settings, folder: Path) -> None:
    """Back up on the old machine, copy the backup, and load it on the new one."""
    is_sqlite = old.database_url.startswith("sqlite")
    if is_sqlite:
        (folder / "old" / "instance").symlink_to(Path(str(make_url(old.database_url).database)).parent)
    run(block('python -c "import sqlite3' if is_sqlite else "pg_dump"), old, folder=folder / "old")
    backup = "portal-backup.sqlite3" if is_sqlite else "portal.dump"
    (folder / "old" / backup).rename(folder / "new" / backup)
    run(block("rm -f instance" if is_sqlite else "pg_restore"), new, folder=folder / "new")


def test_orders_are_sent_once_before_and_after_moving(portal: Site, new_machine: Settings, tmp_path: Path) -> None:
    world, sandbox, old = portal.world, portal.world.sandbox, portal.world.settings
    with world.session() as session:
        session.add(User(email=EMAIL, password_hash="", session_key="s", role=Role.SUPPORT, created_at=world.clock()))
        session.commit()
    cookie = log_in(old)
    assert status_of_account_page(old, cookie) == 200

    # Stop in the middle of sending: the worker finishes its job first.
    worker = portal.start_worker()
    numbers = sandbox.place_orders(count=4)
    sandbox.fault("submit", "hang", order=numbers[0])
    portal.until(sandbox.waiting, "an order is being sent")
    worker.process.send_signal(signal.SIGTERM)
    sandbox.release()
    assert worker.wait_until_dead() == 0
    # Placed, known, and not yet sent when the database moves.
    waiting = sandbox.place_orders(count=2)
    world.poll()
    move(old, new_machine, tmp_path)
    # Against the instructions, the old machine sends once more: after-restore has to find out.
    world.submit()
    world.close()
    said = run(PREPARE, new_machine)
    assert "merchant 816: 2 orders to be checked with the warehouse." in said
    world.settings = new_machine
    world.engine = create_engine(new_machine.database_url, **engine_options(new_machine.database_url))

    later = sandbox.place_orders(count=2)
    portal.start_worker()
    portal.run_to_completion([*numbers, *waiting, *later])
    assert status_of_account_page(new_machine, cookie) == 200
    other = replace(new_machine, secret_key="another-secret-key-0123456789-abcdefghij")
    assert status_of_account_page(other, cookie) == 302, "with another SECRET_KEY, everybody has to log in again"
