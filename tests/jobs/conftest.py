"""The sandbox, and a portal whose jobs run in their own processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from portal import create_app
from portal.database import engine_options
from portal.extensions import db
from sandbox.client import Sandbox, running_sandbox
from tests.conftest import settings_for
from tests.fulfillment.world import World
from tests.jobs.site import Site, SpareWorkers, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="package")
def sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="package")
def spare_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpareWorkers]:
    made = SpareWorkers(tmp_path_factory.mktemp("spare-workers"))
    yield made
    made.close()


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    sandbox_process.reset()
    sandbox_process.clear_calls()
    yield sandbox_process
    sandbox_process.clear_faults()


def _world(database_url: str, redis_url: str, sandbox: Sandbox) -> World:
    settings = settings_for(
        database_url,
        BIGCARTEL_API_URL=sandbox.bigcartel_api_url,
        FCP_API_URL=sandbox.fcp_api_url,
        REDIS_URL=redis_url,
        POLL_SECONDS="1",
        TRACK_SECONDS="1",
    )
    world = World(sandbox, settings, create_engine(database_url, **engine_options(database_url)))
    world.add_merchant()
    return world


def _site(
    database_url: str, redis_url: str, sandbox: Sandbox, spare_workers: SpareWorkers, folder: Path
) -> Iterator[Site]:
    world = _world(database_url, redis_url, sandbox)
    with site(world, spare_workers, folder) as made:
        yield made
    world.close()


@pytest.fixture
def portal(
    database_url: str, redis_url: str, sandbox: Sandbox, spare_workers: SpareWorkers, tmp_path: Path
) -> Iterator[Site]:
    """A portal, once on SQLite and once on PostgreSQL."""
    yield from _site(database_url, redis_url, sandbox, spare_workers, tmp_path)


@pytest.fixture
def small_portal(
    sqlite_url: str, redis_url: str, sandbox: Sandbox, spare_workers: SpareWorkers, tmp_path: Path
) -> Iterator[Site]:
    """A portal on SQLite only, for tests in which the database makes no difference."""
    yield from _site(sqlite_url, redis_url, sandbox, spare_workers, tmp_path)


@pytest.fixture
def postgres_portal(
    postgres_url: str, redis_url: str, sandbox: Sandbox, spare_workers: SpareWorkers, tmp_path: Path
) -> Iterator[Site]:
    """A portal on PostgreSQL only."""
    yield from _site(postgres_url, redis_url, sandbox, spare_workers, tmp_path)


@pytest.fixture
def world(database_url: str, redis_url: str, sandbox: Sandbox) -> Iterator[World]:
    """A portal without processes, once on SQLite and once on PostgreSQL."""
    made = _world(database_url, redis_url, sandbox)
    yield made
    made.close()


@pytest.fixture
def in_job(world: World) -> Iterator[World]:
    """The world with its usual intervals, and an app for the jobs that the test calls."""
    world.settings = replace(world.settings, poll_seconds=60, track_seconds=300)
    with create_app(world.settings).app_context():
        yield world
        db.session.remove()
        db.engine.dispose()
