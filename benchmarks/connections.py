"""Measure one call to a service: a client with connections of its own, a client that shares them, a bare session.

Run it with ``python -m benchmarks.connections``. The server is local and has a process of its own; its certificate is
made for the run. CPU is this process's alone. ``--json`` writes the numbers as JSON instead of a table.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from benchmarks.certificates import self_signed
from portal.clients import connections
from portal.clients.http import Http

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

CALLS = 200
WARM_UP = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        pem = self_signed(Path(folder), "127.0.0.1")
        rows = [row for path in (None, pem) for row in measure(path, options.calls)]
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(f"{row['scheme']:5} {row['client']:24} {row['per_second']:>6} calls per second {row['cpu_ms']:>6} ms CPU")
    return 0


def measure(pem: Path | None, calls: int) -> list[dict[str, str | float]]:
    """Return the rows of HTTPS, or of HTTP if there is no certificate."""
    scheme = "https" if pem else "http"
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, pem), daemon=True)
    server.start()
    url = f"{scheme}://127.0.0.1:{ours.recv()}/"
    session = requests.Session()
    session.trust_env = False
    session.verify = str(pem) if pem else True

    connections._context = context(pem)  # noqa: SLF001 - trusts this server too
    connections._adapter = connections.SharedAdapter(connections._context)  # noqa: SLF001

    def shared() -> None:
        Http("the service", max_bytes=10_000).call("GET", url)

    def of_its_own() -> None:
        if pem:
            connections._context = context(pem)  # noqa: SLF001 - as each client did before they shared
        connections._adapter = connections.SharedAdapter(connections._context)  # noqa: SLF001
        shared()

    ways: dict[str, Callable[[], object]] = {
        "shared connections": shared,
        "a new client per call": of_its_own,
        "a bare session": lambda: session.get(url),
    }
    try:
        return [{"scheme": scheme, "client": name, **timed(way, calls)} for name, way in ways.items()]
    finally:
        session.close()
        server.terminate()
        server.join()


def context(pem: Path | None) -> ssl.SSLContext:
    """Return a new context that trusts the usual authorities and this certificate."""
    made = connections.trusted(DEFAULT_CA_BUNDLE_PATH)
    if pem:
        made.load_verify_locations(pem)
    return made


def timed(call: Callable[[], object], calls: int) -> dict[str, str | float]:
    for _ in range(WARM_UP):
        call()
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return {
        "per_second": round(calls / (time.perf_counter() - began)),
        "cpu_ms": round((time.process_time() - cpu) / calls * 1000, 2),
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def log_message(self, *_: object) -> None:
        pass


def serve(port: Connection, pem: Path | None) -> None:
    """Serve until the process is terminated, and send the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if pem:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    port.send(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
