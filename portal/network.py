"""Where a request comes from: its address and its network, as rate limits count them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def host(address: str | None) -> str:
    """Return the one customer behind an address: the IPv4 address itself, or the /64 that an IPv6 address is in."""
    return _within(address, 32, 64)


def network(address: str | None) -> str:
    """Return the network that one party usually holds: a /24 of IPv4 addresses, or a /48 of IPv6 addresses."""
    return _within(address, 24, 48)


def _within(address: str | None, bits4: int, bits6: int) -> str:
    try:
        known: IPv4Address | IPv6Address = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"  # a Unix socket has no address
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return str(ip_network(f"{known}/{bits4 if known.version == 4 else bits6}", strict=False))
