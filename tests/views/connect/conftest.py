"""A portal registered with Big Cartel, and a store that is not connected yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.views.connect.connect_world import NEW
from tests.views.real_services import connected_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from sandbox.client import Sandbox


@pytest.fixture
def app(database_url: str, sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    sandbox_process.put_account(NEW)
    with connected_app(database_url, sandbox_process, monkeypatch) as app:
        sandbox_process.put_account(NEW, name="Moss Store", tokens=[])
        yield app
