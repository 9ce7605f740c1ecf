"""Take the client's address and scheme from a proxy's headers, but only from a proxy that is trusted.

Everybody else can write the same headers, and would be counted under any address they like. The same holds for the
request's id.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


_WITH_PORT = re.compile(r"(?P<ipv4>[0-9.]+):[0-9]+|\[(?P<ipv6>[^]]+)\](?::[0-9]+)?")


class TrustedProxies:
    """WSGI middleware that believes X-Forwarded-For, X-Forwarded-Proto and X-Request-ID from the given networks only.

    A peer without an address has come through a Unix socket, which only this machine can open.
    """

    def __init__(self, app: WSGIApplication, networks: str) -> None:
        """Trust the networks, such as "127.0.0.1/32, ::1/128". With "" only Unix sockets are trusted."""
        self._app = app
        self._networks = tuple(ip_network(one) for one in networks.split(", ") if one)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if peer and not self._is_trusted(address_in(peer)):
            environ.pop("HTTP_X_REQUEST_ID", None)
        else:
            environ["REMOTE_ADDR"] = self._client(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self._app(environ, start_response)

    def _client(self, peer: str, forwarded_for: str) -> str:
        """Return the last address in the header that isn't a trusted proxy's, read from the right.

        Each proxy appends the address that it was called from, so everything further left may be made up. A malformed
        entry ends the search, too: the last address that is known counts.
        """
        client = peer
        for part in reversed(forwarded_for.split(",")):
            address = address_in(part.strip())
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def address_in(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, as IPv4 if IPv6 only wraps it, or None if it is malformed. Some proxies append the port."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((with_port["ipv4"] or with_port["ipv6"]) if with_port else text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
