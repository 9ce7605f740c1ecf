"""What a worker does once, before it forks."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import QueuePool

from jobs.stored import WITH_IDS
from jobs.tick import tick
from jobs.worker import prepare
from portal.core import create_core
from portal.extensions import db
from portal.queue import connect, open_queue
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fulfillment.world import World


NOBODY = 1_000_000


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_no_connection_is_left_for_the_forks(world: World) -> None:
    """Two processes that use one connection break both."""
    app = create_core(world.settings)
    prepare(app)
    with app.app_context():
        assert isinstance(db.engine.pool, QueuePool)
        assert (db.engine.pool.checkedin(), db.engine.pool.checkedout()) == (0, 0)
        tick()
        db.session.remove()
        db.engine.dispose()
    with connect(world.settings.redis_url) as connection:
        assert f"poll-{world.store().id}" in {one.rpartition("-")[0] for one in open_queue(connection).get_job_ids()}


def test_forks_need_not_build_the_queries_that_their_jobs_begin_with(world: World) -> None:
    app = create_core(world.settings)
    prepare(app)
    with app.app_context():
        built = db.engine._compiled_cache
        assert built
        before = set(built)
        for job in WITH_IDS.values():
            job([NOBODY])
        db.session.remove()
        db.engine.dispose()
        assert set(built) == before


def test_worker_starts_without_a_database(tmp_path: Path, redis_url: str) -> None:
    """It waits for the database at each job."""
    prepare(
        create_core(settings_for(f"sqlite:///{tmp_path / 'no-such-folder' / 'portal.sqlite3'}", REDIS_URL=redis_url))
    )
