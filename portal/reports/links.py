"""Addresses outside: an order in Big Cartel's admin, a parcel at its carrier."""

from __future__ import annotations

import re
from urllib.parse import quote

BIG_CARTEL_ADMIN = "https://my.bigcartel.com"
"""ASSUMED: the admin is at this host (Big Cartel's own consent page is), its orders at /orders/<number>,
its products at /products/<id>."""

_CARRIERS = (
    (re.compile(r"\b(?:usps|u\.s\.p\.s|(?:us|united states) postal)\b", re.IGNORECASE),
     "USPS", "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"),
    (re.compile(r"\b(?:ups|united parcel)\b", re.IGNORECASE), "UPS", "https://www.ups.com/track?tracknum={}"),
    (re.compile(r"\bfed(?:eral)?[\s-]*ex", re.IGNORECASE), "FedEx", "https://www.fedex.com/fedextrack/?trknbr={}"),
)  # fmt: skip


def order_in_big_cartel(number: str) -> str:
    """The order's page in the admin of the shop that one is logged in to."""
    return f"{BIG_CARTEL_ADMIN}/orders/{quote(number, safe='')}"


def product_in_big_cartel(product_id: str) -> str:
    """The product's page there."""
    return f"{BIG_CARTEL_ADMIN}/products/{quote(product_id, safe='')}"


def tracking(carrier: str, number: str) -> tuple[str, str] | None:
    """The carrier's name and its page for this parcel; None for a carrier whose page we do not know.

    ``carrier`` is the warehouse's own word. Nothing is guessed from how the number looks.
    """
    for pattern, name, address in _CARRIERS:
        if pattern.search(carrier):
            return name, address.format(quote(number.strip(), safe=""))
    return None
