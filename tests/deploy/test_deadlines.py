"""Clients that are slow or stop halfway don't keep others waiting: with gunicorn as the README starts it."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import socket
import sys
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import create_environ
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator, FileWrapper

from config import MAX_BODY_BYTES
from deploy.deadlines import ANSWER_SECONDS, BODY_SECONDS, HEADER_SECONDS, DeadlineWorker, _whole
from embedded.process import launch
from embedded.redis import free_port
from tests.conftest import ROOT, settings_for
from tests.embedded.processes import eventually
from tests.jobs.site import environ

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENTS = 24
"""Three times as many as the threads of both processes."""
FORM = b"POST /log-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
KINDS = {
    "half a body": FORM + b"Content-Length: 1000\r\n\r\nemail=",
    "half a chunk": FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nem",
    "half the headers": b"GET /log-in HTTP/1.1\r\nHost: x\r\nX-Slow: a",
    "nothing": b"",
    "an answer that nobody reads": b"GET /bootstrap/static/css/bootstrap.css HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
    "a connection that nobody closes": b"GET /healthz HTTP/1.0\r\n\r\n",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("web")
    with served(folder) as port:
        yield port


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Start the web process with the README's command, and yield its port."""
    (line,) = re.findall(r"^gunicorn .*?wsgi:app", (ROOT / "README.md").read_text(), re.MULTILINE)
    port = free_port()
    settings = settings_for(f"sqlite:///{folder / 'none.sqlite3'}", REDIS_URL="redis://127.0.0.1:1/0")
    log = folder / "log"
    with log.open("wb") as output:
        process = launch(
            [sys.executable, "-m", *shlex.split(line), "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
            output=output,
            folder=ROOT,
            environ={**os.environ, **environ(settings)},
        )
    try:
        eventually(lambda: log.read_text().count("Booting worker") == 2 and is_served(port), "it answers", seconds=60)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def is_served(port: int) -> bool:
    try:
        return health(port) == 200
    except OSError:
        return False


def health(port: int) -> int:
    return status(port, "GET", "/healthz", seconds=8)


def post(port: int, headers: dict[str, str], body: bytes) -> int:
    return status(port, "POST", "/connect", headers, body)


def status(
    port: int, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"", seconds: float = 30
) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        with connection.getresponse() as answer:
            return answer.status


def connected(stack: ExitStack, port: int, sent: bytes) -> socket.socket:
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
    client.sendall(sent)
    return client


@pytest.mark.parametrize("kind", KINDS)
def test_slow_clients_keep_nobody_waiting(kind: str, port: int) -> None:
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            connected(stack, port, KINDS[kind])
        assert [health(port) for _ in range(8)] == [200] * 8


@pytest.mark.parametrize(
    ("kind", "seconds", "answer"),
    [("half a body", BODY_SECONDS, b"HTTP/1.1 408"), ("half the headers", HEADER_SECONDS, b"")],
)
def test_slow_client_is_disconnected_at_a_deadline_however_much_it_trickles(
    kind: str, seconds: float, answer: bytes, port: int
) -> None:
    with ExitStack() as stack:
        client = connected(stack, port, KINDS[kind])
        client.settimeout(0.5)
        got = None
        for _ in range(round(seconds * 2) + 20):
            try:
                got = client.recv(12)
                break
            except TimeoutError:
                client.sendall(b"a")
        assert got == answer


@pytest.mark.parametrize("chunked", [False, True])
def test_body_arrives_whole(chunked: bool, port: int) -> None:
    """A page that takes large forms reads it: 400 without a form token, 413 if it is larger than allowed."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Transfer-Encoding": "chunked"} if chunked else {})
    for size, answer in ((300_000, 400), (MAX_BODY_BYTES, 400), (MAX_BODY_BYTES + 1, 413)):
        body = b"a=".ljust(size, b"b")
        assert post(port, kind, _chunks(body) if chunked else body) == answer


def test_client_may_wait_to_be_asked_for_the_body(port: int) -> None:
    with ExitStack() as stack:
        client = connected(stack, port, FORM + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        answers = stack.enter_context(client.makefile("rb"))
        assert [answers.readline(), answers.readline()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
        client.sendall(b"a=b")
        assert answers.readline().startswith(b"HTTP/1.1 400")


def _chunks(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def test_mail_is_sent_after_the_answer_so_its_time_reveals_nothing() -> None:
    """An answer that takes longer for a known address would tell who has an account."""
    done: list[str] = []
    response = Response("Check your mail.")
    response.call_on_close(lambda: done.append("mail sent"))
    answer = _whole(response(create_environ(), lambda *_: lambda _: None))
    assert (b"".join(answer), done) == (b"Check your mail.", [])
    assert isinstance(answer, ClosingIterator)
    answer.close()
    assert done == ["mail sent"]


def test_long_answer_is_sent_in_parts_each_with_its_own_deadline_and_no_thread_kept() -> None:
    made: list[str] = []

    def lines() -> Iterator[bytes]:
        for number in range(3):
            assert not worker._work.acquire(blocking=False), "making a part is work"
            made.append(f"part {number}")
            yield b"a line"

    response = Response(lines())
    response.call_on_close(lambda: made.append("closed"))
    worker = DeadlineWorker.__new__(DeadlineWorker)
    worker._deadlines, worker._answering, worker._work = {}, set(), threading.BoundedSemaphore(1)
    with socket.socket() as client:
        environ = {**create_environ(), "gunicorn.socket": client, "wsgi.file_wrapper": FileWrapper}
        answer = worker._buffered(response)(environ, lambda *_: lambda _: None)
        assert made == []
        for number, _ in enumerate(answer):
            assert made[-1] == f"part {number}", "a part is sent before the next one is made"
            assert worker._deadlines.pop(client) > time.monotonic() + ANSWER_SECONDS / 2
            assert worker._work.acquire(blocking=False), "others are served while it is read"
            worker._work.release()
        assert made[-1] == "part 2"
        assert isinstance(answer, ClosingIterator)
        answer.close()
        assert made[-1] == "closed"


def test_nginx_allows_what_the_portal_allows_and_sets_its_headers() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    directives = dict(re.findall(r"^\s*([a-z_]+) ([^;{]+);", text, re.MULTILINE))
    assert directives["client_max_body_size"] == f"{MAX_BODY_BYTES // 1024 // 1024}m"
    assert directives["proxy_request_buffering"] == directives["proxy_buffering"] == "on"
    assert directives.keys() >= {"client_body_timeout", "client_header_timeout", "send_timeout", "limit_conn"}
    headers = dict(re.findall(r"proxy_set_header ([\w-]+) ([^;]+);", text))
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["Host"] == "$host"
