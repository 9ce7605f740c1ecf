"""The sandbox, started once, and a portal with one merchant for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from portal.clients.fcp import Fcp
from portal.clients.http import Circuit, Http
from portal.database import engine_options
from sandbox.client import Sandbox, running_sandbox
from tests.conftest import settings_for
from tests.fulfillment.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    sandbox_process.reset()
    sandbox_process.clear_calls()
    yield sandbox_process
    sandbox_process.clear_faults()


@pytest.fixture(autouse=True)
def fresh_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test with no failures counted against a service."""
    monkeypatch.setattr("portal.clients.http.shared_circuit", Circuit())


@pytest.fixture
def during_submission(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], list[str]]:
    """Call a function during the n-th submission. Returns the list of the order numbers submitted."""

    def arrange(which: int, action: Callable[[], None]) -> list[str]:
        real, sent = Fcp.submit, []

        def submit(self: Fcp, order: Any, *, test: bool = False) -> Any:
            sent.append(order.order_number)
            if len(sent) == which:
                action()
            return real(self, order, test=test)

        monkeypatch.setattr(Fcp, "submit", submit)
        return sent

    return arrange


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make calls time out after half a second, without pauses between tries."""
    real = Http.__init__

    def quick(self: Http, service: str, **options: Any) -> None:
        real(self, service, **{**options, "timeout": (0.5, 0.5), "sleep": lambda _: None})

    monkeypatch.setattr(Http, "__init__", quick)


def _world(url: str, sandbox: Sandbox) -> Iterator[World]:
    settings = settings_for(
        url,
        BIGCARTEL_API_URL=sandbox.bigcartel_api_url,
        FCP_API_URL=sandbox.fcp_api_url,
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    world = World(sandbox, settings, create_engine(url, **engine_options(url)))
    world.add_merchant()
    yield world
    world.close()


@pytest.fixture
def world(database_url: str, sandbox: Sandbox) -> Iterator[World]:
    """A world, once on SQLite and once on PostgreSQL."""
    yield from _world(database_url, sandbox)


@pytest.fixture
def sqlite_world(sqlite_url: str, sandbox: Sandbox) -> Iterator[World]:
    """A world on SQLite only, for tests in which the database makes no difference."""
    yield from _world(sqlite_url, sandbox)


@pytest.fixture
def postgres_world(postgres_url: str, sandbox: Sandbox) -> Iterator[World]:
    """A world on PostgreSQL only, for what SQLite can't do: two transactions that write at once."""
    yield from _world(postgres_url, sandbox)
