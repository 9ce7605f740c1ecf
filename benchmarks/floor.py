"""The floor: the least that any program must do to bring a shop's orders to the warehouse with requests and threads.

It reads the same pages, one after another, builds the same XML with the product's own ``submission_xml`` and posts it
from as many threads, one kept-alive ``requests.Session`` each. It knows the SKUs beforehand, reads only the fields that
go into the XML, believes every answer that says Success, and keeps nothing: no order, no attempt, no record of what was
said, no second look, no decision. What the product takes longer is storing and deciding.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import requests

from benchmarks.shop import ACCOUNT, DOMESTIC, INTERNATIONAL, MERCHANT, MERCHANT_NAME, MERCHANT_TOKEN, SHOP_TOKEN, SKUS
from portal.clients.fcp import Credentials, FcpAddress, FcpItem, OrderRequest, submission_xml
from portal.rules.shipping import us_state_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.client import Sandbox

CREDENTIALS = Credentials(str(MERCHANT), MERCHANT_NAME, MERCHANT_TOKEN)
_SHOP_HEADERS = {
    "Accept": "application/vnd.api+json",
    "Authorization": f"Bearer {SHOP_TOKEN}",
    "User-Agent": "Benchmark (https://www.efulfillmentservice.com/)",
}
_FCP_HEADERS = {"Content-Type": "text/xml"}
_TIMEOUT = (5.0, 20.0)


def run(sandbox: Sandbox, concurrency: int) -> int:
    """Post every unshipped order of the shop; returns how many the warehouse took."""
    url = f"{sandbox.fcp_api_url}/orders/"
    own = threading.local()

    def post(order: OrderRequest) -> bool:
        if not hasattr(own, "session"):
            own.session = _session()
        body = submission_xml(order, CREDENTIALS)
        answer = own.session.post(url, data=body, headers=_FCP_HEADERS, timeout=_TIMEOUT)
        return b"<Status>Success</Status>" in answer.content

    orders = list(requests_to_send(sandbox))
    with ThreadPoolExecutor(concurrency) as pool:
        return sum(pool.map(post, orders))


def requests_to_send(sandbox: Sandbox) -> Iterator[OrderRequest]:
    """What each unshipped order asks of the warehouse, read from the list of orders (and of products, for nothing)."""
    with _session() as session:
        base = f"{sandbox.bigcartel_api_url}/accounts/{ACCOUNT}"
        session.get(f"{base}/products?page[limit]=50", headers=_SHOP_HEADERS, timeout=_TIMEOUT).json()
        following: str | None = f"{base}/orders?page[limit]=50&sort=created_at&filter[shipping_status]=unshipped"
        while following:
            page = session.get(following, headers=_SHOP_HEADERS, timeout=_TIMEOUT).json()
            lines = {one["id"]: one for one in page["included"] if one["type"] == "order_line_items"}
            for order in page["data"]:
                yield _request(order, lines)
            following = page["links"].get("next")


def _request(order: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]]) -> OrderRequest:
    said = order["attributes"]
    quantities: dict[str, int] = {}
    for link in order["relationships"]["items"]["data"]:
        line = lines[link["id"]]
        sku = SKUS[line["relationships"]["product"]["data"]["id"]]
        if sku.endswith("-"):
            sku += line["attributes"]["product_option_name"]
        quantities[sku] = quantities.get(sku, 0) + line["attributes"]["quantity"]
    country = said["shipping_country_id"]
    state = said["shipping_state"] or ""
    return OrderRequest(
        order_number=order["id"],
        shipping_method=DOMESTIC if country == "US" else INTERNATIONAL,
        address=FcpAddress(
            first_name=said["customer_first_name"],
            last_name=said["customer_last_name"],
            address1=said["shipping_address_1"],
            address2=said["shipping_address_2"] or "",
            city=said["shipping_city"],
            state=us_state_code(state) if country == "US" else state,
            postal_code=said["shipping_zip"],
            country=country,
            phone=said["customer_phone_number"] or "",
            email=said["customer_email"],
        ),
        items=tuple(FcpItem(sku, quantity) for sku, quantity in quantities.items()),
    )


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session
