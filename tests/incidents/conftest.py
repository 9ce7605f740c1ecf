"""A portal with one merchant for each test, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from portal.database import engine_options
from tests.conftest import settings_for
from tests.incidents.portal import Portal

if TYPE_CHECKING:
    from collections.abc import Iterator


def _portal(url: str) -> Iterator[Portal]:
    engine = create_engine(url, **engine_options(url))
    portal = Portal(engine, settings_for(url))
    portal.add_merchant()
    yield portal
    engine.dispose()


@pytest.fixture
def portal(database_url: str) -> Iterator[Portal]:
    yield from _portal(database_url)


@pytest.fixture
def sqlite_portal(sqlite_url: str) -> Iterator[Portal]:
    """On SQLite only, for tests in which the database makes no difference."""
    yield from _portal(sqlite_url)
