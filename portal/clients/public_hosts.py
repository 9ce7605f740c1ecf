"""Connections that never lead to an address inside our network, whatever a host's name resolves to.

Merchants choose where webhooks are posted, so a URL may be an attack: a private address, a name that resolves to one,
an address in another spelling, or a name that resolves differently the second time. So the check is on the address that
the socket connects to, once its name has been resolved.
"""

from __future__ import annotations

import socket
import time
from ipaddress import IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from portal.clients.timed_reads import TimedAdapter, TlsConnection, read_until

if TYPE_CHECKING:
    from collections.abc import Sequence

RESOLVE_SECONDS = 5.0
SHORTEST_WAIT = 0.01
"""Seconds; a socket takes 0 for no wait at all."""
PUBLIC_IPV6 = ip_network("2000::/3")
"""The only part of IPv6 that is given to hosts on the internet. It leaves out every form with an IPv4 address in it,
but for those below."""
NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # shared within a provider's network
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # protocol assignments, among them Teredo, which contains an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which contains an IPv4 address
        "3fff::/20",  # documentation
    )
)
"""What ``is_global`` misses in some versions of Python, by IANA's registries of special-purpose addresses."""


class NotPublicError(Exception):
    """The host has an address that isn't a public one, and nothing was sent to it."""


def is_public(address: str) -> bool:
    """Return whether the numeric address belongs to a host on the internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, IPv6Address) and ip not in PUBLIC_IPV6:
        return False
    return (
        ip.is_global
        and not ip.is_multicast
        and not any(ip.version == network.version and ip in network for network in NOT_PUBLIC)
    )


def is_numeric(host: str) -> bool:
    """Return whether the host is an address in any spelling that a connection takes: 127.1, 0x7f000001, 2130706433."""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True


def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
    """Return the host's addresses. Raises OSError, TimeoutError if it takes longer.

    The lookup can't be canceled, so it goes on in a thread that nobody waits for.
    """
    found: SimpleQueue[Sequence[str] | OSError] = SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found.put(error)
        except UnicodeError:
            found.put(socket.gaierror("The name is invalid."))
        else:
            found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))

    Thread(target=look_up, daemon=True).start()
    try:
        answer = found.get(timeout=max(seconds, 0))
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


class PublicAdapter(TimedAdapter):
    """An adapter for https only that raises NotPublicError before it connects to an address that isn't public.

    Connecting ends at ``read_until`` too. No other scheme has a pool.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}


class _Connection(TlsConnection):
    def _new_conn(self) -> socket.socket:
        """Connect to an address that was checked, and to no name: it could resolve differently the second time."""
        name = self._dns_host
        try:
            addresses = resolve(name, self.port, min(RESOLVE_SECONDS, _seconds_left()))
        except TimeoutError:
            raise ConnectTimeoutError(self, "The name wasn't resolved in time.") from None
        except OSError as error:
            raise NameResolutionError(name, self, socket.gaierror(*error.args)) from error
        if not addresses or not all(map(is_public, addresses)):
            raise NotPublicError
        failure: Exception = NewConnectionError(self, "There was no time to connect.")
        for address in addresses:
            self.timeout = max(_seconds_left(), SHORTEST_WAIT)
            self._dns_host = address
            try:
                sock = super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError) as error:
                failure = error
            else:
                sock.settimeout(max(_seconds_left(), SHORTEST_WAIT))  # of the TLS handshake
                return sock
            finally:
                self._dns_host = name
        raise failure


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


def _seconds_left() -> float:
    return read_until.get() - time.monotonic()
