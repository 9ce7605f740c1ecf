"""TEST orders of our own making: what they contain, and what the warehouse's rejection of one is about.

They go to an address of ours, so they contain no buyer's data. The FCP only checks them (FCP API, Version TEST).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.clients.fcp_types import FcpAddress, FcpItem, OrderRequest

if TYPE_CHECKING:
    from datetime import datetime

    from portal.rules.services import Reach

_DOMESTIC = FcpAddress(
    first_name="Test", last_name="Order", address1="807 Airport Access Rd", city="Traverse City",
    state="MI", postal_code="49686", country="US",
)  # fmt: skip
_ABROAD = FcpAddress(
    first_name="Test", last_name="Order", address1="1 High Street", city="London", postal_code="SW1A 1AA", country="GB"
)
_SHIPPING = re.compile(r"ship|carrier", re.IGNORECASE)
_OTHER_FAULT = re.compile(
    r"address|city|state|zip|postal|country|first ?name|last ?name|sku|item|product", re.IGNORECASE
)


def order_to_test(service: str, reach: Reach, sku: str, now: datetime, *, which: str) -> OrderRequest:
    """Return an order for one piece with this service. ``which`` sets its number apart from others made now."""
    address = _DOMESTIC if reach == "domestic" else _ABROAD
    return OrderRequest(f"TEST-{now:%Y%m%d%H%M%S%f}-{which}", service, address, (FcpItem(sku, 1),))


def is_about_service(words: str, service: str) -> bool:
    """Return whether a rejection is about the service's code. The FCP's messages aren't published (ASSUMED)."""
    names_it = re.search(rf"(?<!\w){re.escape(service)}(?!\w)", words, re.IGNORECASE) is not None
    return names_it or bool(_SHIPPING.search(words) and not _OTHER_FAULT.search(words))
