"""Fixtures for the client tests: payload files, and an Http that never actually sleeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.circuit import Circuit
from portal.clients.connections import close_idle
from portal.clients.fcp import Credentials, Fcp
from portal.clients.http import Http
from tests.clients.fcp_stub import API, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"


@pytest.fixture
def payload() -> Callable[[str], Any]:
    """Read the JSON payload file whose name starts with the given text."""

    def read(start: str) -> Any:
        return json.loads(payload_bytes(start))

    return read


def payload_bytes(start: str) -> bytes:
    (path,) = PAYLOADS.glob(f"{start}*")
    return path.read_bytes()


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that calls of ``http`` would have slept between their tries."""
    return []


@pytest.fixture
def make_http(pauses: list[float]) -> Iterator[Callable[..., Http]]:
    """Return a function that builds an Http with short timeouts and its own circuit.

    Idle connections are closed after the test.
    """

    def make(**changes: Any) -> Http:
        settings: dict[str, Any] = {
            "service": "the store",
            "max_bytes": 1024 * 1024,
            "timeout": (1.0, 2.0),
            "circuit": Circuit(),
            "sleep": pauses.append,
        }
        return Http(**(settings | changes))

    yield make
    close_idle()


@pytest.fixture
def http(make_http: Callable[..., Http]) -> Http:
    return make_http()


@pytest.fixture
def fcp(make_http: Callable[..., Http]) -> Fcp:
    """One merchant's account; ``fcp_stub`` answers its calls."""
    credentials = Credentials("816", "Example Shop", TOKEN)
    return Fcp(make_http(service="the warehouse"), api_url=API, credentials=credentials)
