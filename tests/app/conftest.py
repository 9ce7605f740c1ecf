"""The app with these tests' world in its own database; every outside service is unreachable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.clients.circuit import Circuit
from portal.page_extensions import limiter
from tests.app.isolated import isolated_app
from tests.app.world import World, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(limiter, "enabled", False)
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())
    with isolated_app(sqlite_url, tmp_path) as app:
        yield app


@pytest.fixture
def world(app: Flask) -> World:
    return build(app)
