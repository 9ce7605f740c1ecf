"""The baseline: the least work that can send a store's orders to the warehouse with requests and threads.

It reads the same pages, one after another, builds the same XML with the portal's own ``submission_xml`` and posts it
from as many threads, each with its own keep-alive ``requests.Session``. It knows the SKUs in advance, reads only the
fields that go into the XML and trusts every answer that says Success. It stores no order and no attempt, verifies
nothing and decides nothing. The extra time the portal takes is what storing and deciding cost.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import requests

from benchmarks.fixtures import (
    ACCOUNT,
    DOMESTIC,
    INTERNATIONAL,
    MERCHANT,
    MERCHANT_NAME,
    MERCHANT_TOKEN,
    SKUS,
    STORE_TOKEN,
)
from portal.clients.fcp import Credentials, FcpAddress, FcpItem, OrderRequest, submission_xml
from portal.rules.shipping import us_state_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.client import Sandbox

CREDENTIALS = Credentials(str(MERCHANT), MERCHANT_NAME, MERCHANT_TOKEN)
_STORE_HEADERS = {
    "Accept": "application/vnd.api+json",
    "Authorization": f"Bearer {STORE_TOKEN}",
    "User-Agent": "Benchmark (https://www.efulfillmentservice.com/)",
}
_FCP_HEADERS = {"Content-Type": "text/xml"}
_TIMEOUT = (5.0, 20.0)


def run(sandbox: Sandbox, concurrency: int) -> int:
    """Post every unshipped order of the store and return how many the warehouse accepted."""
    url = f"{sandbox.fcp_api_url}/orders/"
    local = threading.local()

    def post(order: OrderRequest) -> bool:
        if not hasattr(local, "session"):
            local.session = _session(sandbox)
        body = submission_xml(order, CREDENTIALS)
        answer = local.session.post(url, data=body, headers=_FCP_HEADERS, timeout=_TIMEOUT)
        return b"<Status>Success</Status>" in answer.content

    orders = list(requests_to_send(sandbox))
    with ThreadPoolExecutor(concurrency) as pool:
        return sum(pool.map(post, orders))


def requests_to_send(sandbox: Sandbox) -> Iterator[OrderRequest]:
    """Yield the request for each unshipped order.

    It also reads the product list, without using it, to make the same calls as the portal.
    """
    with _session(sandbox) as session:
        base = f"{sandbox.bigcartel_api_url}/accounts/{ACCOUNT}"
        session.get(f"{base}/products?page[limit]=50", headers=_STORE_HEADERS, timeout=_TIMEOUT).json()
        next_url: str | None = f"{base}/orders?page[limit]=50&sort=created_at&filter[shipping_status]=unshipped"
        while next_url:
            page = session.get(next_url, headers=_STORE_HEADERS, timeout=_TIMEOUT).json()
            lines = {item["id"]: item for item in page["included"] if item["type"] == "order_line_items"}
            for order in page["data"]:
                yield _request(order, lines)
            next_url = page["links"].get("next")


def _request(order: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]]) -> OrderRequest:
    attributes = order["attributes"]
    quantities: dict[str, int] = {}
    for link in order["relationships"]["items"]["data"]:
        line = lines[link["id"]]
        sku = SKUS[line["relationships"]["product"]["data"]["id"]]
        if sku.endswith("-"):
            sku += line["attributes"]["product_option_name"]
        quantities[sku] = quantities.get(sku, 0) + line["attributes"]["quantity"]
    country = attributes["shipping_country_id"]
    state = attributes["shipping_state"] or ""
    return OrderRequest(
        order_number=order["id"],
        shipping_method=DOMESTIC if country == "US" else INTERNATIONAL,
        address=FcpAddress(
            first_name=attributes["customer_first_name"],
            last_name=attributes["customer_last_name"],
            address1=attributes["shipping_address_1"],
            address2=attributes["shipping_address_2"] or "",
            city=attributes["shipping_city"],
            state=us_state_code(state) if country == "US" else state,
            postal_code=attributes["shipping_zip"],
            country=country,
            phone=attributes["customer_phone_number"] or "",
            email=attributes["customer_email"],
        ),
        items=tuple(FcpItem(sku, quantity) for sku, quantity in quantities.items()),
    )


def _session(sandbox: Sandbox) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(sandbox.certificate) if sandbox.certificate else True
    return session
