"""The gunicorn worker of the web process: clients that are slow, or stop halfway, don't keep others waiting.

Gunicorn's own threads wait for a client as long as it likes, so as many half-sent requests as there are threads stop a
web process; ``timeout`` doesn't apply to threads. Here, many cheap threads wait for clients, ``threads`` of them at a
time do the app's work, and every wait ends at a deadline.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker
from werkzeug.wsgi import ClosingIterator

from config import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CONNECTIONS = 200
"""Connections of one process that are read from or written to at the same time."""
HEADER_SECONDS = 5.0
BODY_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""For the work on a request, and for the client to read the answer, or each part of one whose length isn't known."""
LINGER_SECONDS = 2.0
"""Until a connection that ends is closed, although its client hasn't closed it."""
TOO_SLOW = b"The request didn't arrive in time. Try again.\n"


class DeadlineWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's worker with threads, with deadlines. Its main loop, which wakes every second, disconnects the late."""

    wsgi: WSGIApplication

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadlines: dict[socket.socket, float] = {}
        self._answering: set[socket.socket] = set()
        self._work = threading.BoundedSemaphore(self.cfg.threads)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=max(CONNECTIONS, self.cfg.threads))

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi = self._buffered(self.wsgi)

    def run(self) -> None:
        super().run()
        self._disconnect_late(float("inf"))

    def murder_pending(self) -> None:
        """Disconnect what is late. Gunicorn calls this every second for its own timeouts."""
        super().murder_pending()
        self._disconnect_late(time.monotonic())

    def handle(self, conn: TConn) -> object:
        """Read and answer one request. A client that has sent nothing yet is left to the main loop."""
        if not (conn.initialized or conn.wait_for_data(0)):
            return _DEFER
        client = conn.sock
        self._wait_until(client, HEADER_SECONDS)
        try:
            goes_on: object = super().handle(conn)
            if not goes_on:
                self._end(client)
            return goes_on
        finally:
            self._answering.discard(client)
            self._deadlines.pop(client, None)

    def _buffered(self, app: WSGIApplication) -> WSGIApplication:
        """Wrap the app: it starts when the body is complete, and the next request when the answer is, sent or not.

        An answer without a length, such as a large file that is made as it is read, is sent in parts instead. Another
        request can start between two of them. A client has to keep reading, but it may take as long as it needs.
        """

        def buffered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            client = environ["gunicorn.socket"]
            length = int(environ.get("CONTENT_LENGTH") or 0)
            if length <= MAX_BODY_BYTES:
                self._wait_until(client, BODY_SECONDS)
                body = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
                if len(body) < length:
                    start_response("408 Request Timeout", [("Content-Type", "text/plain"), ("Connection", "close")])
                    return [TOO_SLOW]
                environ.pop("HTTP_TRANSFER_ENCODING", None)
                environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            lengths: list[str] = []

            def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
                lengths[:] = [value for name, value in headers if name.lower() == "content-length"]
                return start_response(status, headers, *error)

            with self._work:
                self._answering.add(client)
                self._wait_until(client, ANSWER_SECONDS)
                answer = app(environ, start)
                is_file: bool = isinstance(answer, environ["wsgi.file_wrapper"])
                if is_file:
                    return answer  # gunicorn sends it without the app
                return _whole(answer) if lengths else self._in_parts(answer, client)

        return buffered

    def _in_parts(self, answer: Iterable[bytes], client: socket.socket) -> Iterable[bytes]:
        def parts() -> Iterator[bytes]:
            made = iter(answer)
            while True:
                with self._work:
                    part = next(made, None)
                if part is None:
                    return
                self._wait_until(client, ANSWER_SECONDS)
                yield part

        return ClosingIterator(parts(), [answer.close] if hasattr(answer, "close") else None)

    def _end(self, client: socket.socket) -> None:
        """End the connection as gunicorn does, which waits for the client to close it, but not in the main loop."""
        self._answering.discard(client)
        self._wait_until(client, LINGER_SECONDS)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
            client.shutdown(socket.SHUT_RD)

    def _wait_until(self, client: socket.socket, seconds: float) -> None:
        self._deadlines[client] = time.monotonic() + seconds

    def _disconnect_late(self, now: float) -> None:
        """Wake the threads whose clients are past their deadline. A late request can still be answered with 408."""
        for client, deadline in list(self._deadlines.items()):
            if now > deadline:
                how = socket.SHUT_RDWR if client in self._answering else socket.SHUT_RD
                with contextlib.suppress(OSError):
                    client.shutdown(how)


def _whole(answer: Iterable[bytes]) -> Iterable[bytes]:
    """Return the answer complete.

    Gunicorn closes the answer when it is sent. What the app does then, such as sending a mail, keeps no client waiting,
    who could measure it.
    """
    with contextlib.ExitStack() as ending:
        if hasattr(answer, "close"):
            ending.callback(answer.close)
        parts = list(answer)
        return ClosingIterator(parts, ending.pop_all().close)
