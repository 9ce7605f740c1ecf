"""Links to other sites: an order or product in Big Cartel's admin, a parcel at its carrier."""

from __future__ import annotations

import re
from urllib.parse import quote

BIG_CARTEL_ADMIN = "https://my.bigcartel.com"
"""ASSUMED: the admin is on this host, like Big Cartel's own consent page, with orders at /orders/<number> and
products at /products/<id>."""

_CARRIERS = (
    (re.compile(r"\b(?:usps|u\.s\.p\.s|(?:us|united states) postal)\b", re.IGNORECASE),
     "USPS", "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"),
    (re.compile(r"\b(?:ups|united parcel)\b", re.IGNORECASE), "UPS", "https://www.ups.com/track?tracknum={}"),
    (re.compile(r"\bfed(?:eral)?[\s-]*ex", re.IGNORECASE), "FedEx", "https://www.fedex.com/fedextrack/?trknbr={}"),
)  # fmt: skip


def order_in_big_cartel(number: str) -> str:
    """Return the URL of the order in the admin of the store the user is logged in to."""
    return f"{BIG_CARTEL_ADMIN}/orders/{quote(number, safe='')}"


def product_in_big_cartel(product_id: str) -> str:
    """Return the URL of the product in the admin of the store the user is logged in to."""
    return f"{BIG_CARTEL_ADMIN}/products/{quote(product_id, safe='')}"


def tracking(carrier: str, number: str) -> tuple[str, str] | None:
    """Return the carrier's name and its tracking page for this parcel; None if we don't know the carrier's page.

    ``carrier`` is the warehouse's text; if it names several carriers, we don't know which one has the parcel. The
    carrier is never guessed from the format of the number.
    """
    found = [(name, address) for pattern, name, address in _CARRIERS if pattern.search(carrier)]
    if len(found) != 1:
        return None
    name, address = found[0]
    return name, address.format(quote(number.strip(), safe=""))
