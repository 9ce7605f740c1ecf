"""Links to other sites: an order or product in Big Cartel's admin, a parcel at its carrier."""

from __future__ import annotations

import re
from urllib.parse import quote

from portal.reports.carriers import carriers_in

BIG_CARTEL_ADMIN = "https://my.bigcartel.com"
"""ASSUMED: the admin is on this host, like Big Cartel's own consent page, with orders at /orders/<number> and
products at /products/<id>."""


def order_in_big_cartel(number: str) -> str:
    """Return the URL of the order in the admin of the store the user is logged in to."""
    return f"{BIG_CARTEL_ADMIN}/orders/{quote(number, safe='')}"


def product_in_big_cartel(product_id: str) -> str:
    """Return the URL of the product in the admin of the store the user is logged in to."""
    return f"{BIG_CARTEL_ADMIN}/products/{quote(product_id, safe='')}"


def tracking(carrier: str, number: str) -> tuple[str, str] | None:
    """Return the carrier's name and its tracking page for this parcel; None if we don't know the carrier's page.

    ``carrier`` is the warehouse's text; if it names several carriers, we don't know which one has the parcel. A number
    with words or an address beside it has no page, either. The carrier is never guessed from the format of the number.
    """
    found = carriers_in(carrier)
    compact = "".join(number.split())
    if len(found) != 1 or not _NUMBER.fullmatch(compact) or any(map(carriers_in, number.split()[:-1])):
        return None
    return found[0].name, found[0].page.format(quote(compact, safe=""))


_NUMBER = re.compile(r"(?=.*\d)[A-Za-z0-9-]+")
