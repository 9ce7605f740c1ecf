"""A socket server that misbehaves in ways no library would: it drops connections, hangs, and lies about lengths."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RawServer:
    """A server on loopback. Each connection runs the next script; the last script repeats."""

    def __init__(self, *scripts: Callable[[Connection], None]) -> None:
        self._scripts = list(scripts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self.closed = threading.Semaphore(0)
        """Released once per connection that the server has closed."""
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._peers.append(peer)
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            thread = threading.Thread(target=self._handle, args=(peer, script))
            thread.start()
            self._threads.append(thread)

    def _handle(self, peer: socket.socket, script: Callable[[Connection], None]) -> None:
        with peer:
            try:
                script(Connection(self, peer))
            except OSError:
                return  # the client hung up, which is how endless scripts stop
        self.closed.release()

    def stop(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            with suppress(OSError):  # most of them are closed already
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)


class Connection:
    """One accepted connection, for scripts to act on."""

    def __init__(self, server: RawServer, peer: socket.socket) -> None:
        self.server = server
        self.peer = peer

    def read_request(self) -> bytes:
        """Read one whole request and record it on the server. Raises OSError when the client hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self._receive()
        self.server.requests.append(head + b"\r\n\r\n" + body)
        return body

    def answer(self, body: bytes = b"ok", *, status: str = "200 OK", length: int | None = None) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
        self.peer.sendall(head.encode() + body)

    def reset(self) -> None:
        """Make the connection close with an RST instead of an orderly shutdown."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _receive(self) -> bytes:
        data = self.peer.recv(65_536)
        if not data:
            raise ConnectionAbortedError("the client hung up")
        return data


def answers(connection: Connection) -> None:
    while True:
        connection.read_request()
        connection.answer()


def reads_and_closes(connection: Connection) -> None:
    connection.read_request()


def resets_unread(connection: Connection) -> None:
    connection.peer.recv(1, socket.MSG_PEEK)
    connection.reset()


@contextmanager
def raw_server(*scripts: Callable[[Connection], None]) -> Iterator[RawServer]:
    server = RawServer(*scripts)
    thread = threading.Thread(target=server.accept)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(timeout=5)


def free_port() -> int:
    """Return a port with no listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
