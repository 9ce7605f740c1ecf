"""Who may read /metrics and /readyz: whoever has METRICS_TOKEN, and the addresses in METRICS_NETWORKS."""

from __future__ import annotations

import hmac
from ipaddress import ip_network
from typing import TYPE_CHECKING

from portal.proxies import address_in

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from config import Settings

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_TRUE_CLIENT_IP",
)
"""Headers that proxies add. A request with one of them didn't begin on this machine, whatever address it shows."""


def may_monitor(environ: WSGIEnvironment, settings: Settings) -> bool:
    """Return whether the request has the token, or comes from one of the networks. Put it behind TrustedProxies."""
    return _has_token(environ, settings.metrics_token) or _is_near(environ, settings.metrics_networks)


def _has_token(environ: WSGIEnvironment, token: str) -> bool:
    scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    is_same = hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), token.encode())
    return bool(token) and scheme.lower() == "bearer" and is_same


def _is_near(environ: WSGIEnvironment, networks: str) -> bool:
    address = address_in(environ.get("REMOTE_ADDR", ""))
    if address is None or (address.is_loopback and any(name in environ for name in FORWARDED)):
        return False
    return any(address in ip_network(one) for one in networks.split(", ") if one)
