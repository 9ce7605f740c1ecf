"""What all tests of the clients share: payload files, an Http that never really waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.circuit import Circuit
from portal.clients.fcp import Credentials, Fcp
from portal.clients.http import Http
from tests.clients.fcp_stub import API, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"


@pytest.fixture
def payload() -> Callable[[str], Any]:
    """The JSON payload file whose name begins so."""

    def read(beginning: str) -> Any:
        return json.loads(payload_bytes(beginning))

    return read


def payload_bytes(beginning: str) -> bytes:
    (path,) = PAYLOADS.glob(f"{beginning}*")
    return path.read_bytes()


@pytest.fixture
def pauses() -> list[float]:
    """How long the calls of ``http`` would have waited between their tries."""
    return []


@pytest.fixture
def make_http(pauses: list[float]) -> Iterator[Callable[..., Http]]:
    """Builds an Http with short time-outs and a circuit of its own; all are closed after the test."""
    made: list[Http] = []

    def make(**changes: Any) -> Http:
        settings: dict[str, Any] = {
            "service": "The shop",
            "max_bytes": 1024 * 1024,
            "timeout": (1.0, 2.0),
            "circuit": Circuit(),
            "sleep": pauses.append,
        }
        made.append(Http(**(settings | changes)))
        return made[-1]

    yield make
    for http in made:
        http.close()


@pytest.fixture
def http(make_http: Callable[..., Http]) -> Http:
    return make_http()


@pytest.fixture
def fcp(make_http: Callable[..., Http]) -> Fcp:
    """The account of one merchant, to be answered through ``fcp_stub``."""
    credentials = Credentials("816", "Example Shop", TOKEN)
    return Fcp(make_http(service="The FCP"), api_url=API, credentials=credentials)
