"""Http connections: keep-alive, replacement, limits, TLS, and threads."""

from __future__ import annotations

import gzip
import itertools
import os
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.certificates import self_signed
from portal.clients import connections
from portal.clients.circuit import Circuit
from portal.clients.errors import NotSent, OutcomeUnknown, UnexpectedAnswer
from tests.clients.raw_server import Connection, answers, free_port, raw_server, reads_and_closes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portal.clients.http import Http


def test_keep_alive_connection_that_drops_a_post_is_an_unknown_outcome(http: Http) -> None:
    def answers_once(connection: Connection) -> None:
        connection.read_request()
        connection.answer()
        connection.read_request()

    with raw_server(answers_once, answers) as server:
        http.call("POST", f"{server.url}/", data=b"1")
        with pytest.raises(OutcomeUnknown):
            http.call("POST", f"{server.url}/", data=b"2")
        assert http.call("POST", f"{server.url}/", data=b"3").status == 200
    assert [request[-1:] for request in server.requests] == [b"1", b"2", b"3"]


def test_connection_closed_while_idle_is_replaced(http: Http) -> None:
    def answers_and_closes(connection: Connection) -> None:
        connection.read_request()
        connection.answer()

    with raw_server(answers_and_closes) as server:
        for number in (b"1", b"2"):
            assert http.call("POST", f"{server.url}/", data=number).status == 200
            assert server.closed.acquire(timeout=5)
    assert len(server.requests) == 2


def test_connections_are_kept_alive(http: Http) -> None:
    accepted = itertools.count(1)
    last = 0

    def counts(connection: Connection) -> None:
        nonlocal last
        last = next(accepted)
        answers(connection)

    with raw_server(counts) as server:
        for _ in range(5):
            http.call("POST", f"{server.url}/", data=b"x")
    assert last == 1


def counted(server_of: list[int]) -> Callable[[Connection], None]:
    """Return a script that answers everything, and adds an item to the list for each connection."""

    def counts(connection: Connection) -> None:
        server_of.append(1)
        answers(connection)

    return counts


def test_clients_of_one_process_share_their_connections(make_http: Callable[..., Http]) -> None:
    accepted: list[int] = []
    with raw_server(counted(accepted)) as server:
        for _ in range(5):
            make_http().call("POST", f"{server.url}/", data=b"x")
    assert len(accepted) == 1


def test_connection_that_was_idle_for_long_carries_no_order(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_IDLE", 0.0)
    accepted: list[int] = []
    with raw_server(counted(accepted)) as server:
        for _ in range(2):
            assert http.call("POST", f"{server.url}/", data=b"x").status == 200
    assert len(accepted) == len(server.requests) == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the server has threads
def test_fork_opens_its_own_connection_and_leaves_its_parents_alone(http: Http) -> None:
    accepted: list[int] = []
    with raw_server(counted(accepted)) as server:
        http.call("POST", f"{server.url}/", data=b"parent")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if http.call("POST", f"{server.url}/", data=b"child").status == 200 else 1
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(accepted) == 2
        assert http.call("POST", f"{server.url}/", data=b"parent").status == 200
    assert len(accepted) == 2
    assert len(server.requests) == 3


def test_slow_answer_is_abandoned_at_the_deadline(make_http: Callable[..., Http]) -> None:
    def drips(connection: Connection) -> None:
        connection.read_request()
        connection.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")
        while not connection.server.over.is_set():
            connection.peer.sendall(b".")

    ticks = itertools.count(0.0, 10.0)
    http = make_http(clock=lambda: next(ticks))
    with raw_server(drips) as server, pytest.raises(OutcomeUnknown, match="longer than 60 seconds") as caught:
        http.call("POST", f"{server.url}/", data=b"x")
    assert not isinstance(caught.value, UnexpectedAnswer)


@pytest.mark.parametrize("compressed", [False, True])
def test_answer_over_the_size_limit_is_abandoned(make_http: Callable[..., Http], compressed: bool) -> None:
    def floods(connection: Connection) -> None:
        connection.read_request()
        if compressed:
            body = gzip.compress(b"\0" * 50_000_000)
            head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.peer.sendall(head.encode() + body)
        else:
            connection.peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not connection.server.over.is_set():
                connection.peer.sendall(b"x" * 10_000)

    http = make_http(max_bytes=100_000)
    with raw_server(floods) as server, pytest.raises(UnexpectedAnswer, match="100,000 bytes"):
        http.call("POST", f"{server.url}/", data=b"x")


def test_gzip_answer_is_decompressed(http: Http) -> None:
    def compresses(connection: Connection) -> None:
        connection.read_request()
        body = gzip.compress(b"hello " * 1000)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.peer.sendall(head.encode() + body)

    with raw_server(compresses) as server:
        assert http.call("GET", f"{server.url}/").body == b"hello " * 1000


def test_redirects_are_not_followed(http: Http) -> None:
    def sends_elsewhere(connection: Connection) -> None:
        connection.read_request()
        connection.peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    with raw_server(sends_elsewhere) as server, pytest.raises(UnexpectedAnswer, match="302"):
        http.call("GET", f"{server.url}/", headers={"Authorization": "Bearer secret"})
    assert len(server.requests) == 1


def test_proxy_environment_variables_are_ignored(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with raw_server(answers) as server:
        assert http.call("GET", f"{server.url}/").status == 200


def test_user_agent_names_the_product_and_a_contact(http: Http) -> None:
    with raw_server(answers) as server:
        http.call("GET", f"{server.url}/")
    assert b"User-Agent: Big-Cartel-FCP-Portal/0.1 (https://www.efulfillmentservice.com/)" in server.requests[0]


def test_calls_to_an_unreachable_host_pause_for_30_seconds(make_http: Callable[..., Http], pauses: list[float]) -> None:
    clock = [0.0]
    http = make_http(circuit=Circuit(clock=lambda: clock[0]))
    url = f"http://127.0.0.1:{free_port()}/"
    for _ in range(5):
        with pytest.raises(NotSent, match="the connection failed"):
            http.call("POST", url, data=b"x")
    tries = len(pauses)
    with pytest.raises(NotSent, match="several times in a row"):
        http.call("POST", url, data=b"x")
    assert len(pauses) == tries
    clock[0] = 30.0
    with pytest.raises(NotSent, match="the connection failed"):
        http.call("POST", url, data=b"x")


def test_dropped_connections_do_not_open_the_circuit(make_http: Callable[..., Http]) -> None:
    http = make_http()
    with raw_server(*[reads_and_closes] * 6, answers) as server:
        for _ in range(6):
            with pytest.raises(OutcomeUnknown):
                http.call("POST", f"{server.url}/", data=b"x")
        assert http.call("POST", f"{server.url}/", data=b"x").status == 200


def test_eight_threads_get_their_own_answers(make_http: Callable[..., Http]) -> None:
    def echoes(connection: Connection) -> None:
        while True:
            connection.answer(connection.read_request())

    http = make_http()
    wrong: list[bytes] = []

    def work(worker: int) -> None:
        for turn in range(50):
            sent = f"{worker}/{turn}".encode()
            got = http.call("POST", f"{server.url}/", data=sent).body
            if got != sent:
                wrong.append(got)

    with raw_server(echoes) as server:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
    assert len(server.requests) == 400


def test_nothing_is_sent_when_the_certificate_cannot_be_verified(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the machine's environment trusts it: only the authorities that come with the portal count."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certificate))
    with raw_server(speaks_tls(certificate)) as server, pytest.raises(NotSent, match="certificate"):
        http.call("POST", server.url.replace("http:", "https:"), data=b"secret")
    assert not server.requests


@pytest.mark.parametrize(("address", "is_sent"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_trusted_certificate_must_be_the_hosts_own(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, is_sent: bool
) -> None:
    certificate = self_signed(tmp_path, address)
    adapter = connections.SharedAdapter(connections.trusted(str(certificate)))
    monkeypatch.setattr(connections, "_adapter", adapter)
    with raw_server(speaks_tls(certificate)) as server:
        url = server.url.replace("http:", "https:")
        if is_sent:
            assert [http.call("POST", url, data=b"x").status for _ in range(2)] == [200, 200]
        else:
            with pytest.raises(NotSent, match="certificate"):
                http.call("POST", url, data=b"secret")
        adapter.close()
    assert len(server.requests) == (2 if is_sent else 0)


def test_connections_do_not_read_the_authorities_again(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That costs some 20 ms of CPU each time."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    read: list[object] = []

    class Watched(ssl.SSLContext):
        def load_verify_locations(self, *where: Any, **named: Any) -> None:
            read.append(where)
            super().load_verify_locations(*where, **named)

    context = Watched(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(certificate))
    monkeypatch.setattr(connections, "_adapter", connections.SharedAdapter(context))
    with raw_server(speaks_tls(certificate)) as server:
        for _ in range(2):
            assert http.call("POST", server.url.replace("http:", "https:"), data=b"x").status == 200
            connections.close_idle()
    assert len(read) == 1


def speaks_tls(certificate: Path) -> Callable[[Connection], None]:
    """Return a script that answers everything over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def script(connection: Connection) -> None:
        with context.wrap_socket(connection.peer, server_side=True) as peer:
            answers(Connection(connection.server, peer))

    return script
