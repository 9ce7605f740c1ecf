"""Http against real sockets: network failures, and whether the request is retried."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import requests

from portal.clients.connections import shared_adapter
from portal.clients.errors import NotSent, OutcomeUnknown, ServiceError
from portal.rules.patience import STATUS_LAG
from tests.clients.raw_server import Connection, answers, free_port, raw_server, reads_and_closes, resets_unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http


def reads_and_resets(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def hangs(connection: Connection) -> None:
    connection.read_request()
    connection.server.over.wait(10)


def cuts_the_head(connection: Connection) -> None:
    connection.read_request()
    connection.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")


def cuts_between_headers(connection: Connection) -> None:
    connection.read_request()
    connection.peer.sendall(b"HTTP/1.1 200 OK\r\nServer: store\r\n")


def cuts_the_body(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b"<half/>", length=4096)


def cuts_a_chunk(connection: Connection) -> None:
    connection.read_request()
    connection.peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf")


def no_http(connection: Connection) -> None:
    connection.read_request()
    connection.peer.sendall(b"220 smtp.example.com ready\r\n")


def two_lengths(connection: Connection) -> None:
    connection.read_request()
    connection.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok")


def not_gzip(connection: Connection) -> None:
    connection.read_request()
    connection.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain")


@pytest.mark.parametrize(
    "script",
    [
        resets_unread,
        reads_and_closes,
        reads_and_resets,
        cuts_the_head,
        cuts_between_headers,
        cuts_the_body,
        cuts_a_chunk,
        no_http,
        two_lengths,
        not_gzip,
    ],
)
def test_interrupted_post_is_an_unknown_outcome_and_not_retried(
    http: Http, pauses: list[float], script: Callable[[Connection], None]
) -> None:
    with raw_server(script) as server, pytest.raises(OutcomeUnknown) as caught:
        http.call("POST", f"{server.url}/orders/", data=b"<order/>")
    assert len(server.requests) <= 1
    assert not pauses
    assert caught.value.exchange is not None
    assert caught.value.exchange.request == "<order/>"


@pytest.mark.parametrize("script", [resets_unread, reads_and_closes, reads_and_resets, cuts_the_body])
def test_interrupted_get_is_retried(http: Http, pauses: list[float], script: Callable[[Connection], None]) -> None:
    with raw_server(script, script, answers) as server:
        assert http.call("GET", f"{server.url}/orders").body == b"ok"
    assert len(pauses) == 2
    assert pauses[0] < pauses[1] * 3
    assert all(0 < pause < 1 for pause in pauses)


def test_get_gives_up_after_three_tries(http: Http) -> None:
    with raw_server(reads_and_closes) as server, pytest.raises(OutcomeUnknown):
        http.call("GET", f"{server.url}/orders")
    assert len(server.requests) == 3


@pytest.mark.parametrize(("method", "requests"), [("POST", 1), ("PATCH", 1), ("GET", 3)])
def test_read_timeout_is_an_unknown_outcome(make_http: Callable[..., Http], method: str, requests: int) -> None:
    http = make_http(timeout=(1.0, 0.05))
    with raw_server(hangs) as server, pytest.raises(OutcomeUnknown, match=r"0\.05 seconds"):
        http.call(method, f"{server.url}/orders/", data=b"<order/>")
    assert len(server.requests) == requests


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_refused_connection_is_tried_three_times_for_any_method(http: Http, pauses: list[float], method: str) -> None:
    with pytest.raises(NotSent, match="couldn't reach"):
        http.call(method, f"http://127.0.0.1:{free_port()}/orders/", data=b"<order/>")
    assert len(pauses) == 2


def test_unknown_host_name_means_not_sent(http: Http, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    with pytest.raises(NotSent, match="its host name wasn't found"):
        http.call("POST", "http://store.invalid/orders/", data=b"<order/>")
    assert len(pauses) == 2


def test_error_that_the_caller_is_handling_does_not_change_the_outcome(http: Http) -> None:
    """A dropped call is still an unknown outcome while an older connection failure is being handled."""
    with raw_server(reads_and_closes) as server:
        try:
            raise requests.ConnectTimeout  # noqa: TRY301 - stands for any older error
        except requests.ConnectTimeout:
            with pytest.raises(OutcomeUnknown):
                http.call("POST", f"{server.url}/", data=b"2")


def test_error_messages_do_not_contain_the_request(make_http: Callable[..., Http]) -> None:
    http = make_http(secrets=("tok3n",))
    failures: list[ServiceError] = []
    for script in (reads_and_closes, resets_unread, cuts_the_body, no_http):
        with raw_server(script) as server, pytest.raises(ServiceError) as caught:
            http.call("POST", f"{server.url}/?search=Buyer", data=b"Jane Buyer tok3n", params={"q": "Buyer"})
        failures.append(caught.value)
    for failure in failures:
        assert "Buyer" not in str(failure)
        assert failure.exchange is not None
        assert "tok3n" not in failure.exchange.request
        assert failure.__suppress_context__ or failure.__context__ is None


def test_request_that_cannot_be_delivered_is_given_up_before_the_order_may_be_sent_again(http: Http) -> None:
    """The kernel would deliver it when the network is back, minutes later: to a warehouse that was asked meanwhile."""
    with raw_server(answers) as server:
        http.call("POST", f"{server.url}/", data=b"1")
        pools = shared_adapter().poolmanager.pools
        (pool,) = (pools[key] for key in pools.keys() if server.url.endswith(f":{key.key_port}"))  # noqa: SIM118 - no dict
        milliseconds = pool.pool.queue[-1].sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert 0 < milliseconds < STATUS_LAG.total_seconds() * 1000
