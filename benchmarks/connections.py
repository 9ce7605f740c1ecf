"""Measure one call to a service: a client with connections of its own, a client that shares them, a bare session.

Run it with ``python -m benchmarks.connections``. The server is local and has a process of its own; its certificate is
made for the run. CPU is this process's alone.
"""

from __future__ import annotations

import multiprocessing
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import requests

from benchmarks.certificates import self_signed, trusted_too
from benchmarks.results import Report, parser
from portal.clients import connections
from portal.clients.http import Http

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

CALLS = 200
WARM_UP = 5
MAX_RATIO = 1.2


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--calls", type=int, default=CALLS, help=f"calls of each kind (default: {CALLS})")
    options = arguments.parse_args()
    report = Report("connections", options)
    with TemporaryDirectory() as folder:
        pem = self_signed(Path(folder), "127.0.0.1")
        for scheme, certificate in (("http", None), ("https", pem)):
            cpu, own, floor = measure(scheme, certificate, options.calls)
            ratio = cpu / floor
            report.row(scheme=scheme, floor_ms=floor, ms=cpu, ratio=ratio, own_connections_ms=own)
            report.goal(f"CPU of a call over {scheme} beside a bare session's", ratio, at_most=MAX_RATIO)
    return report.finish()


def measure(scheme: str, certificate: Path | None, calls: int) -> tuple[float, float, float]:
    """Return the CPU milliseconds of a call: with shared connections, with a client's own, and of a bare session."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, certificate), daemon=True)
    server.start()
    url = f"{scheme}://127.0.0.1:{ours.recv()}/"
    session = requests.Session()
    session.trust_env = False
    session.verify = str(certificate) if certificate else True

    def shared() -> None:
        Http("the service", max_bytes=10_000).call("GET", url)

    def of_its_own() -> None:
        connections.start_over(trusted_too(certificate))
        shared()

    connections.start_over(trusted_too(certificate))
    try:
        return cpu_ms(shared, calls), cpu_ms(of_its_own, calls), cpu_ms(lambda: session.get(url), calls)
    finally:
        session.close()
        server.terminate()
        server.join()


def cpu_ms(call: Callable[[], object], calls: int) -> float:
    for _ in range(WARM_UP):
        call()
    began = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - began) / calls * 1000


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
