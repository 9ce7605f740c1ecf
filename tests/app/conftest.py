"""The app with these tests' world in its own database; every outside service is unreachable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal import create_app
from portal.clients.circuit import Circuit
from portal.extensions import db, limiter
from tests.app.world import World, build
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    app = create_app(
        settings_for(
            sqlite_url,
            REDIS_URL=f"redis://{NOWHERE}/0",
            BIGCARTEL_API_URL=f"http://{NOWHERE}",
            BIGCARTEL_TOKEN_URL=f"http://{NOWHERE}",
            FCP_API_URL=f"http://{NOWHERE}",
            MAIL_URL=f"file://{tmp_path / 'mail'}",
        )
    )
    monkeypatch.setattr(limiter, "enabled", False)
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(app: Flask) -> World:
    return build(app)
