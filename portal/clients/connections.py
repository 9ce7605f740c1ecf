"""The connections of this process, which all clients of both services share, with one TLS context.

A client exists for one run. With connections of its own, each run would need a new TCP connection and TLS handshake for
its first call, and would read the certificates of all authorities again. Sharing is safe between merchants: a
connection carries no identity, because credentials are in the headers of each request, and no cookies are kept.
"""

from __future__ import annotations

import math
import os
import socket
import ssl
import time
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from portal.clients.timed_reads import TimedAdapter, TimedConnection, TlsConnection

HOSTS = 16
CONNECTIONS_PER_HOST = 64
"""As many calls at once as ``FCP_CONCURRENCY`` allows. More are possible, but their connections aren't kept."""
UNDELIVERED = 25.0
"""Seconds after which the kernel gives up a connection whose bytes nobody confirms. By default it tries for minutes.

A request that is still on its way after that could arrive when another worker has asked the warehouse about the order
and sent it again. So this is less than ``portal.rules.patience.STATUS_LAG``.
"""
MAX_IDLE = 30.0
"""Seconds. A server or a firewall may drop what is idle for longer, and could do so just as an order is on its way."""


def trusted(authorities: str) -> ssl.SSLContext:
    """Return a context that verifies names and certificates, and trusts the authorities in this file alone.

    The machine's own authorities and its environment variables don't count.
    """
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(authorities)
    return context


class SharedAdapter(TimedAdapter):
    """A thread-safe adapter that keeps connections for many clients. ``context`` verifies every TLS connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=HOSTS, pool_maxsize=CONNECTIONS_PER_HOST, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        given_up = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNDELIVERED * 1000))
        options = [*HTTPConnection.default_socket_options, given_up]
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context, socket_options=options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the context as it is: requests would have each new connection read the authorities again."""


class _Kept(HTTPConnection):
    reusable_until = math.inf

    @property
    def is_connected(self) -> bool:
        return time.monotonic() < self.reusable_until and super().is_connected


class _Connection(_Kept, TimedConnection):
    pass


class _TlsConnection(_Kept, TlsConnection):
    pass


class _KeepingPool(HTTPConnectionPool):
    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.reusable_until = time.monotonic() + MAX_IDLE
        super()._put_conn(conn)


class _Pool(_KeepingPool):
    ConnectionCls = _Connection


class _TlsPool(_KeepingPool, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_context = trusted(DEFAULT_CA_BUNDLE_PATH)
"""Made when this module is imported, so a worker's forks inherit it."""
_adapter = SharedAdapter(_context)
_inherited: list[SharedAdapter] = []
"""What the parent process uses. Kept, because closing it could wait for a lock that nothing in a fork releases."""


def shared_adapter() -> SharedAdapter:
    """Return the adapter of this process. Ask for it at each call: after a fork there is another."""
    return _adapter


def close_idle() -> None:
    """Close the connections that nobody uses; the next calls open new ones."""
    _adapter.close()


def start_over(context: ssl.SSLContext | None = None) -> None:
    """Share new connections from now on, verified by this context if there is one. The old ones are left alone."""
    global _adapter, _context  # noqa: PLW0603 - a fork must not write to its parent's sockets
    _inherited.append(_adapter)
    _context = context or _context
    _adapter = SharedAdapter(_context)


os.register_at_fork(after_in_child=start_over)
