"""Requests to the sandbox, in the form the real services receive them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from lxml import etree, html

if TYPE_CHECKING:
    from sandbox.client import Sandbox

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
JSON = "application/vnd.api+json"
HEADERS = {"Accept": JSON, "Authorization": "Bearer shop-token", "User-Agent": "Tests (https://example.com)"}
TIMEOUT = (5, 10)


def get(sandbox: Sandbox, path: str, **params: str) -> requests.Response:
    return requests.get(f"{sandbox.bigcartel_api_url}/{path}", params=params, headers=HEADERS, timeout=TIMEOUT)


def listed(sandbox: Sandbox, **params: str) -> list[str]:
    answer = get(sandbox, "accounts/1000001/orders", **params)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json()["data"]]


def patch(sandbox: Sandbox, number: str, attributes: dict[str, Any], **headers: str) -> requests.Response:
    return requests.patch(
        f"{sandbox.bigcartel_api_url}/accounts/1000001/orders/{number}",
        data=json.dumps({"data": {"id": number, "type": "orders", "attributes": attributes}}),
        headers={**HEADERS, "Content-Type": JSON, **headers},
        timeout=TIMEOUT,
    )


def submission(number: str = "AAAA-000001", **changes: str) -> bytes:
    """Return an order submission. `changes` replaces the text of elements; "" removes one."""
    texts = {
        "Version": "0.6",
        "MerchantId": "816",
        "MerchantName": "Example Shop",
        "MerchantToken": "merchant-token",
        "OrderNumber": number,
        "ShippingMethod": "USPS_MEDIA",
        "FirstName": "Ada",
        "LastName": "Miller",
        "Address1": "1 Main Street",
        "City": "Chicago",
        "State": "IL",
        "PostalCode": "60601",
        "Country": "US",
        "Sku": "MUG-01",
        "Quantity": "2",
        **changes,
    }
    one = {name: f"<{name}>{text}</{name}>" if text else "" for name, text in texts.items()}
    address = "".join(
        one[name] for name in ("FirstName", "LastName", "Address1", "City", "State", "PostalCode", "Country")
    )
    return (
        f"<OrderSubmitRequest>{one['Version']}{one['MerchantId']}{one['MerchantName']}{one['MerchantToken']}"
        f"<OrderList><Order>{one['OrderNumber']}{one['ShippingMethod']}"
        f"<ShippingAddress>{address}</ShippingAddress>"
        f"<ItemList><Item>{one['Sku']}{one['Quantity']}</Item></ItemList></Order></OrderList>"
        "</OrderSubmitRequest>"
    ).encode()


def post(sandbox: Sandbox, path: str, body: bytes, content_type: str = "text/xml") -> requests.Response:
    headers = {"Content-Type": content_type}
    return requests.post(f"{sandbox.fcp_api_url}/{path}/", data=body, headers=headers, timeout=TIMEOUT)


def fields(answer: requests.Response) -> dict[str, str]:
    """Return the text of each element by local name; if a name repeats, the last one wins."""
    root = etree.fromstring(answer.content)
    return {str(one.tag).rpartition("}")[2]: (one.text or "").strip() for one in root.iter()}


def status_request(*numbers: str, token: str = "merchant-token") -> bytes:
    orders = "".join(f"<Order><OrderNumber>{number}</OrderNumber></Order>" for number in numbers)
    head = f"<MerchantId>816</MerchantId><MerchantToken>{token}</MerchantToken>"
    return f"<OrderStatusRequest>{head}<Orders>{orders}</Orders></OrderStatusRequest>".encode()


def consent(sandbox: Sandbox, decision: str, state: str = "s", **more: str) -> dict[str, list[str]]:
    """Open the consent page, allow or deny access, and return the parameters sent back to the app."""
    query = {
        "client_id": "app",
        "response_type": "code",
        "state": state,
        "redirect_uri": "http://127.0.0.1:1/back",
        **more,
    }
    page = html.fromstring(requests.get(sandbox.authorize_url, params=query, timeout=TIMEOUT).content)
    form = page.forms[0]
    assert {str(one.get("value")) for one in page.iter("button")} == {"allow", "deny"}
    answer = requests.post(
        f"{sandbox.bigcartel}{form.action}",
        data={**dict(form.form_values()), "decision": decision},
        timeout=TIMEOUT,
        allow_redirects=False,
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("http://127.0.0.1:1/back?")
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def exchange(sandbox: Sandbox, code: str, **changes: str) -> requests.Response:
    form = {
        "client_id": "app",
        "client_secret": "app-secret",
        "code": code,
        "redirect_uri": "http://127.0.0.1:1/back",
        **changes,
    }
    return requests.post(sandbox.token_url, data=form, timeout=TIMEOUT)


def wait_for(condition: Any, seconds: float = 10) -> None:
    done = threading.Event()
    deadline = threading.Timer(seconds, done.set)
    deadline.start()
    try:
        while not condition():
            assert not done.wait(0.02), f"the condition was not met within {seconds} seconds"
    finally:
        deadline.cancel()


def submit_in_background(sandbox: Sandbox, timeout: float) -> threading.Thread:
    """Submit an order from a thread whose client times out after `timeout` seconds."""

    def send() -> None:
        try:
            requests.post(
                f"{sandbox.fcp_api_url}/orders/",
                data=submission(),
                headers={"Content-Type": "text/xml"},
                timeout=timeout,
            )
        except requests.Timeout:
            return

    thread = threading.Thread(target=send)
    thread.start()
    return thread
