"""A server that drips: the whole answer has a deadline, not only each of its bytes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from portal.clients.errors import OutcomeUnknown
from tests.clients.raw_server import Connection, answers, raw_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http

OK = b"HTTP/1.1 200 OK\r\n"
GZIP_WITH_A_NAME = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"

DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "one header": (OK + b"X-Name: ", b"a"),
    "many headers": (OK, b"A: b\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (OK + b"\r\n", b" "),
    "body of known length": (OK + b"Content-Length: 900000\r\n\r\n", b" "),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "chunk extension": (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    "name within gzip": (OK + b"Content-Encoding: gzip\r\n\r\n" + GZIP_WITH_A_NAME, b"a"),
}


@pytest.mark.parametrize(("start", "drop"), DRIPS.values(), ids=DRIPS)
def test_answer_that_drips_ends_at_the_deadline(make_http: Callable[..., Http], start: bytes, drop: bytes) -> None:
    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.peer.sendall(start)
        while not connection.server.over.wait(0.05):
            connection.peer.sendall(drop)

    with raw_server(drip) as server:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown, match=r"took longer than 0\.5 seconds"):
            make_http(deadline=0.5).call("POST", server.url, data=b"x")
    assert time.monotonic() - began < 5


def test_connection_is_used_again_with_a_deadline_of_its_own(make_http: Callable[..., Http]) -> None:
    with raw_server(answers) as server:
        http = make_http(deadline=30.0)
        for _ in range(3):
            assert http.call("POST", server.url, data=b"x").body == b"ok"
        assert len(server.requests) == 3
        assert server.closed.acquire(blocking=False) is False
