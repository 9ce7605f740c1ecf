"""The stand-ins answer as the two services are described, and do harm only when asked to."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from lxml import etree, html

from sandbox.client import ROOT, Sandbox, SandboxError, running_sandbox
from sandbox.warehouse import stays

if TYPE_CHECKING:
    from collections.abc import Iterator

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
JSON = "application/vnd.api+json"
HEADERS = {"Accept": JSON, "Authorization": "Bearer shop-token", "User-Agent": "Tests (https://example.com)"}
TIMEOUT = (5, 10)


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    process.clear_faults()
    process.reset()
    process.put_account("1000001", tokens=["shop-token"])
    process.put_client("app", secret="app-secret")
    process.put_merchant("816", token="merchant-token")
    return process


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
    """A submission; a change of an element's text to "" takes the element away."""
    words = {
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
    one = {name: f"<{name}>{text}</{name}>" if text else "" for name, text in words.items()}
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


def words(answer: requests.Response) -> dict[str, str]:
    """The answer's elements by local name (the last one of each)."""
    root = etree.fromstring(answer.content)
    return {str(one.tag).rpartition("}")[2]: (one.text or "").strip() for one in root.iter()}


def status_request(*numbers: str, token: str = "merchant-token") -> bytes:
    orders = "".join(f"<Order><OrderNumber>{number}</OrderNumber></Order>" for number in numbers)
    head = f"<MerchantId>816</MerchantId><MerchantToken>{token}</MerchantToken>"
    return f"<OrderStatusRequest>{head}<Orders>{orders}</Orders></OrderStatusRequest>".encode()


# Big Cartel: reading


def test_an_order_has_every_field_of_the_examples(sandbox: Sandbox) -> None:
    sandbox.put_product("101", name="Shirt", description="SKU:SHIRT-", options=["SMALL", "X-LARGE"])
    number = sandbox.place_order(items=[{"product": "101", "option": "X-LARGE", "quantity": 2}])
    example = json.loads((PAYLOADS / "bigcartel_order_single.json").read_text())
    line_file = "bigcartel_order_line_item_current.json"
    line_example = json.loads((PAYLOADS / line_file).read_text())

    order = get(sandbox, f"accounts/1000001/orders/{number}").json()

    assert set(example["data"]["attributes"]) <= set(order["data"]["attributes"])
    assert set(example["data"]["relationships"]) <= set(order["data"]["relationships"])
    for name, value in example["data"]["attributes"].items():
        ours = order["data"]["attributes"][name]
        assert ours is None or value is None or type(ours) is type(value), name
    lines = [one for one in order["included"] if one["type"] == "order_line_items"]
    assert [set(line["attributes"]) for line in lines] == [set(line_example["attributes"])]
    assert lines[0]["attributes"]["product_option_name"] == "X-LARGE"
    assert lines[0]["attributes"]["quantity_unshipped"] == 2
    assert lines[0]["relationships"]["product"]["data"] == {"type": "products", "id": "101"}
    named = {(one["type"], one["id"]) for one in order["included"]}
    for relationship in order["data"]["relationships"].values():
        links = relationship["data"] if isinstance(relationship["data"], list) else [relationship["data"]]
        assert {(link["type"], link["id"]) for link in links} <= named
    assert re.fullmatch(r"[A-Z]{4}-\d{6}", number)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", order["data"]["attributes"]["created_at"])


def test_a_document_of_the_api_can_be_placed_as_it_is(sandbox: Sandbox) -> None:
    example = json.loads((PAYLOADS / "bigcartel_order_single.json").read_text())
    sandbox.place_order(document=example)
    answer = get(sandbox, "accounts/1000001/orders/LMFN-543196").json()
    assert answer["data"]["attributes"] == example["data"]["attributes"]
    assert answer["included"] == example["included"]


def test_pages_follow_each_other_until_the_last(sandbox: Sandbox) -> None:
    placed = sandbox.place_orders(count=45)
    url, seen, sizes = f"{sandbox.bigcartel_api_url}/accounts/1000001/orders?sort=created_at", [], []
    while url:
        page = requests.get(url, headers=HEADERS, timeout=TIMEOUT).json()
        assert page["meta"] == {"count": "45"}
        assert page["links"]["last"].startswith(sandbox.bigcartel)
        sizes.append(len(page["data"]))
        seen += [order["id"] for order in page["data"]]
        url = page["links"].get("next")
    assert sizes == [20, 20, 5]
    assert sorted(seen) == sorted(placed)


def test_a_single_page_has_no_links_and_no_page_exceeds_a_hundred(sandbox: Sandbox) -> None:
    sandbox.place_orders(count=101)
    page = get(sandbox, "accounts/1000001/orders", **{"page[limit]": "1000"}).json()
    assert len(page["data"]) == 100
    sandbox.reset()
    sandbox.put_account("1000001", tokens=["shop-token"])
    assert get(sandbox, "accounts/1000001/orders").json()["links"] == {}


def test_the_included_objects_of_a_page_are_unique(sandbox: Sandbox) -> None:
    sandbox.place_orders(count=20)
    included = get(sandbox, "accounts/1000001/orders").json()["included"]
    ids = [(one["type"], one["id"]) for one in included]
    assert len(ids) == len(set(ids))
    assert ids.count(("countries", "US")) == 1


def test_the_list_filters_searches_and_sorts(sandbox: Sandbox) -> None:
    for number, day, shipping in (
        ("AAAA-000001", "01", "unshipped"),
        ("BBBB-000002", "02", "shipped"),
        ("CCCC-000003", "03", "unshipped"),
    ):
        moment = f"2026-03-{day}T12:00:00.000Z"
        sandbox.place_order(number=number, created_at=moment, shipping_status=shipping, email=f"{day}@example.com")
    assert listed(sandbox) == ["CCCC-000003", "BBBB-000002", "AAAA-000001"]
    assert listed(sandbox, sort="updated_at") == ["AAAA-000001", "BBBB-000002", "CCCC-000003"]
    assert listed(sandbox, sort="-completed_at") == ["CCCC-000003", "BBBB-000002", "AAAA-000001"]
    unshipped = {"filter[shipping_status]": "unshipped"}
    assert listed(sandbox, **unshipped) == ["CCCC-000003", "AAAA-000001"]
    assert listed(sandbox, **unshipped, **{"filter[updated_at_from]": "2026-03-02T00:00:00Z"}) == ["CCCC-000003"]
    assert listed(sandbox, **{"filter[completed_at_to]": "2026-03-01T13:00:00+01:00"}) == ["AAAA-000001"]
    assert listed(sandbox, search="02@example") == ["BBBB-000002"]


@pytest.mark.parametrize(
    "params",
    [
        {"filter[payment_status]": "completed"},
        {"filter[updated_at_from]": "yesterday"},
        {"sort": "total"},
        {"page[limit]": "0"},
        {"page[offset]": "x"},
    ],
)
def test_a_parameter_that_is_not_documented_is_refused(sandbox: Sandbox, params: dict[str, str]) -> None:
    answer = get(sandbox, "accounts/1000001/orders", **params)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["title"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Authorization": "Bearer another"}, 401),
        ({"Authorization": "Basic c2hvcC10b2tlbg=="}, 401),
        ({"Authorization": None}, 401),
        ({"Accept": "application/json"}, 406),
        ({"Accept": None}, 406),
        ({"User-Agent": ""}, 400),
    ],
)
def test_headers_and_token_are_required(sandbox: Sandbox, changes: dict[str, str | None], status: int) -> None:
    sandbox.put_account("2", tokens=["another"])
    headers = {**HEADERS, **{key: "" if value is None else value for key, value in changes.items()}}
    answer = requests.get(f"{sandbox.bigcartel_api_url}/accounts/1000001/orders", headers=headers, timeout=TIMEOUT)
    assert answer.status_code == status
    assert answer.json()["errors"]


def test_products_accounts_and_countries(sandbox: Sandbox) -> None:
    sandbox.put_product("101", name="Mug", description="A mug.\r\nSKU:MUG-01")
    sandbox.put_product("102", name="Shirt", description="SKU:SHIRT-", options=["SMALL", "LARGE"])
    products = get(sandbox, "accounts/1000001/products").json()
    options = {one["id"]: one["attributes"]["name"] for one in products["included"]}
    names = [
        [options[link["id"]] for link in product["relationships"]["options"]["data"]] for product in products["data"]
    ]
    assert names == [["Default"], ["SMALL", "LARGE"]]
    sandbox.patch_product("101", description="SKU:MUG-02")
    changed = get(sandbox, "accounts/1000001/products/101").json()["data"]["attributes"]
    assert changed["description"] == "SKU:MUG-02"
    sandbox.delete_product("101")
    assert get(sandbox, "accounts/1000001/products/101").status_code == 404
    assert get(sandbox, "accounts").json()["data"][0]["id"] == "1000001"
    assert get(sandbox, "accounts/1000001").json()["data"]["attributes"]["store_name"] == "Example Shop"
    countries = {one["id"]: one["attributes"]["name"] for one in get(sandbox, "countries").json()["data"]}
    assert countries["US"] == "United States"


def test_a_product_without_options_leaves_the_option_name_empty_on_the_order(sandbox: Sandbox) -> None:
    sandbox.put_product("101", name="Mug", description="SKU:MUG-01")
    number = sandbox.place_order()
    included = get(sandbox, f"accounts/1000001/orders/{number}").json()["included"]
    line = next(one for one in included if one["type"] == "order_line_items")
    assert line["attributes"]["product_option_name"] == ""
    assert line["relationships"]["product_option"]["data"]["id"]


# Big Cartel: writing


def test_marking_shipped_changes_the_order_and_is_counted(sandbox: Sandbox) -> None:
    number = sandbox.place_order(created_at="2026-03-01T12:00:00.000Z")
    answer = patch(sandbox, number, {"shipping_status": "shipped"})
    assert answer.status_code == 200
    attributes = answer.json()["data"]["attributes"]
    assert attributes["shipping_status"] == "shipped"
    assert attributes["updated_at"] > "2026-03-01T12:00:00.000Z"
    included = answer.json()["included"]
    line = next(one["attributes"] for one in included if one["type"] == "order_line_items")
    assert (line["quantity_shipped"], line["quantity_unshipped"]) == (1, 0)
    events = [one["attributes"] for one in included if one["type"] == "order_events"]
    assert [event["message"] for event in events] == ["Payment completed", "Marked as shipped"]
    assert sandbox.patches() == {number: 1}
    assert sandbox.shipping_statuses() == {number: "shipped"}


def test_a_patch_of_another_shape_changes_nothing(sandbox: Sandbox) -> None:
    number = sandbox.place_order()
    assert patch(sandbox, number, {"shipping_status": "lost"}).status_code == 402
    assert patch(sandbox, number, {"total": "0.0"}).status_code == 400
    json_type = {"Content-Type": "application/json"}
    assert patch(sandbox, number, {"shipping_status": "shipped"}, **json_type).status_code == 406
    assert patch(sandbox, "ZZZZ-999999", {"shipping_status": "shipped"}).status_code == 404
    assert sandbox.shipping_statuses() == {number: "unshipped"}


def test_orders_can_be_edited_shipped_and_cancelled_by_hand(sandbox: Sandbox) -> None:
    numbers = sandbox.place_orders(count=4, template={"payment_status": "unpaid"})
    sandbox.edit_order(numbers[0], payment_status="completed", shipping_city="Boise")
    sandbox.ship_at_bigcartel(numbers[1])
    sandbox.cancel_order(numbers[2])
    sandbox.cancel_order(numbers[3], gone=True)
    assert sandbox.orders()[numbers[0]]["payment_status"] == "completed"
    assert sandbox.shipping_statuses() == {
        numbers[0]: "unshipped",
        numbers[1]: "shipped",
        numbers[2]: "cancelled",
    }
    assert get(sandbox, f"accounts/1000001/orders/{numbers[3]}").status_code == 404
    assert sandbox.patches() == {}


# OAuth


def consent(sandbox: Sandbox, decision: str, state: str = "s") -> dict[str, list[str]]:
    """Open the consent page and press a button; returns what the app gets back."""
    query = {
        "client_id": "app",
        "response_type": "code",
        "state": state,
        "redirect_uri": "http://127.0.0.1:1/back",
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


def test_allowing_gives_a_code_that_works_once(sandbox: Sandbox) -> None:
    back = consent(sandbox, "allow", state="a&b")
    assert back["state"] == ["a&b"]
    answer = exchange(sandbox, back["code"][0])
    assert answer.json()["account_id"] == "1000001"
    headers = {**HEADERS, "Authorization": f"Bearer {answer.json()['access_token']}"}
    url = f"{sandbox.bigcartel_api_url}/accounts/1000001"
    assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 200
    again = exchange(sandbox, back["code"][0])
    assert again.status_code == 400
    assert set(again.json()) == {"error", "message"}

    basic = base64.b64encode(b"app:app-secret").decode()
    gone = requests.post(
        f"{sandbox.bigcartel}/oauth/deauthorize/1000001",
        headers={"Authorization": f"Basic {basic}"},
        timeout=TIMEOUT,
    )
    assert gone.status_code == 204
    assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 401


def test_denying_expired_codes_and_wrong_secrets(sandbox: Sandbox) -> None:
    denied = consent(sandbox, "deny")
    assert (denied["error"], denied["state"]) == (["access_denied"], ["s"])
    assert "code" not in denied
    assert exchange(sandbox, consent(sandbox, "allow")["code"][0], client_secret="x").status_code == 401
    sandbox.put_client("app", secret="app-secret", code_seconds=-1)
    assert exchange(sandbox, consent(sandbox, "allow")["code"][0]).json()["error"] == "invalid_grant"
    unknown = requests.get(sandbox.authorize_url, params={"client_id": "nobody"}, timeout=TIMEOUT)
    assert unknown.status_code == 400


# The FCP


def test_a_submission_is_taken_once(sandbox: Sandbox) -> None:
    first = post(sandbox, "orders", submission())
    assert words(first)["Status"] == "Success"
    assert words(first)["OrderNumber"] == "AAAA-000001"
    assert words(first)["OrderStatus"] == "Pending"
    assert int(words(first)["OrderId"]) > 0
    second = post(sandbox, "orders", submission())
    assert second.status_code == 200
    assert words(second)["Error"] == "Duplicate order number: AAAA-000001 already exists"
    received = sandbox.received()["AAAA-000001"]
    assert (received["posted"], received["accepted"]) == (2, 1)
    assert received["items"] == [{"sku": "MUG-01", "quantity": 2}]
    assert received["address"]["City"] == "Chicago"


def test_the_documented_requests_are_understood(sandbox: Sandbox) -> None:
    body = (PAYLOADS / "fcp_submit_request_minimal.xml").read_text()
    for old, new in (
        ("MERCHANT_ID", "816"),
        ("MERCHANT_NAME", "Example Shop"),
        ("REDACTED", "merchant-token"),
    ):
        body = body.replace(old, new)
    assert words(post(sandbox, "orders", body.encode()))["Status"] == "Success"
    stock = (PAYLOADS / "fcp_inventory_request.xml").read_text()
    stock = stock.replace("{{CLIENT_ID}}", "816").replace("{{CLIENT_TOKEN}}", "merchant-token")
    answer = post(sandbox, "inventory", stock.encode())
    root = etree.fromstring(answer.content)
    assert root.tag == "{https://fcp.efulfillmentservice.com/xml/inventory}InventoryResponse"
    skus = root.iter("{https://fcp.efulfillmentservice.com/xml/inventory}Sku")
    assert [sku.text for sku in skus] == ["00-1111", "00-1112", "00-1113"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"MerchantToken": "x"}, "Invalid MerchantToken"),
        ({"MerchantName": "x"}, "Invalid MerchantName"),
        ({"MerchantId": "1"}, "Invalid MerchantId"),
        ({"MerchantToken": ""}, "Missing required field: MerchantToken"),
        ({"Version": "0.5"}, "Invalid Version: 0.5"),
        ({"OrderNumber": ""}, "Missing required field: OrderNumber"),
        ({"ShippingMethod": ""}, "Missing required field: ShippingMethod"),
        ({"ShippingMethod": "PIGEON"}, "Invalid ShippingMethod: PIGEON"),
        ({"Address1": ""}, "Missing required field: Address1"),
        ({"State": ""}, "Missing required field: State"),
        ({"FirstName": "", "LastName": ""}, "Missing required field: FirstName"),
        ({"Sku": "CUP"}, "Invalid SKU: CUP"),
        ({"Sku": ""}, "Missing required field: Sku"),
        ({"Quantity": "0"}, "Invalid Quantity for MUG-01: 0"),
    ],
)
def test_a_submission_that_cannot_be_shipped_is_refused(sandbox: Sandbox, changes: dict[str, str], error: str) -> None:
    sandbox.put_merchant("816", token="merchant-token", skus=["MUG-01"], methods=["USPS_MEDIA"])
    answer = post(sandbox, "orders", submission(**changes))
    assert answer.status_code == 200
    assert words(answer)["Status"] == "Failure"
    assert words(answer)["Error"] == error
    assert sandbox.accepted() == {}


def test_no_bundles_no_half_documents_no_dtd(sandbox: Sandbox) -> None:
    order = re.search(rb"<Order>.*</Order>", submission("BBBB-000002"))
    assert order is not None
    two = submission().replace(b"</OrderList>", order.group() + b"</OrderList>")
    assert "Only one order" in words(post(sandbox, "orders", two))["Error"]
    assert "well-formed" in words(post(sandbox, "orders", submission()[:-5]))["Error"]
    bomb = b'<!DOCTYPE x [<!ENTITY e "816">]>' + submission(MerchantId="&e;")
    assert "well-formed" in words(post(sandbox, "orders", bomb))["Error"]
    assert "Content-Type" in words(post(sandbox, "orders", submission(), "application/json"))["Error"]
    assert sandbox.accepted() == {}


def test_a_test_order_is_checked_and_not_kept(sandbox: Sandbox) -> None:
    sandbox.put_merchant("816", token="merchant-token", skus=["MUG-01"])
    assert words(post(sandbox, "orders", submission(Version="TEST")))["Status"] == "Success"
    assert words(post(sandbox, "orders", submission(Version="TEST", Sku="CUP")))["Error"] == "Invalid SKU: CUP"
    assert sandbox.accepted() == {}
    assert sandbox.received()["AAAA-000001"]["tested"] == 2
    assert words(post(sandbox, "orders", submission()))["Status"] == "Success"


def test_statuses_move_on_when_the_warehouse_ships(sandbox: Sandbox) -> None:
    post(sandbox, "orders", submission("AAAA-000001"))
    post(sandbox, "orders", submission("BBBB-000002"))
    request = status_request("AAAA-000001", "BBBB-000002", "CCCC-000003")
    root = etree.fromstring(post(sandbox, "status", request).content)
    assert root.findtext("Status") == "Success"
    assert [one.text for one in root.iter("OrderNumber")] == ["AAAA-000001", "BBBB-000002"]
    assert [one.text for one in root.iter("OrderStatus")] == ["Pending", "Pending"]
    assert sandbox.ship(["AAAA-000001"], tracking=["1", "2"], joined=True) == ["AAAA-000001"]
    shipped = words(post(sandbox, "status", status_request("AAAA-000001")))
    assert shipped["OrderStatus"] == "Completed"
    assert shipped["Carrier"] == "USPS"
    assert shipped["TrackingNumber"] == "1;2"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shipped["ShipDate"])
    sandbox.set_status("BBBB-000002", "On Hold")
    assert words(post(sandbox, "status", status_request("BBBB-000002")))["OrderStatus"] == "On Hold"
    assert sandbox.ship_all() == ["BBBB-000002"]
    assert words(post(sandbox, "status", status_request(*["x"] * 101)))["Status"] == "Failure"
    wrong = words(post(sandbox, "status", status_request("AAAA-000001", token="x")))
    assert wrong["Error"] == "Invalid MerchantToken"


def test_the_warehouse_can_ship_most_orders_by_itself() -> None:
    numbers = [f"AAAA-{number:06}" for number in range(1, 41)]
    most = {number for number in numbers if not stays(number)}
    assert len(numbers) / 2 < len(most) < len(numbers)
    assert numbers[0] not in most
    with running_sandbox(ship_after=0.2) as sandbox:
        sandbox.put_merchant("816", token="merchant-token")
        for number in numbers:
            post(sandbox, "orders", submission(number))
        # The first one would be shipped before the others, so this cannot be true on the way to all of them.
        wait_for(lambda: with_status(sandbox, "Completed") == most)
        wait_for(lambda: with_status(sandbox, "In Process") == set(numbers) - most)
        assert all(sandbox.received()[number]["tracking"] for number in most)


def with_status(sandbox: Sandbox, status: str) -> set[str]:
    return {number for number, order in sandbox.received().items() if order["status"] == status}


def wait_for(condition: Any, seconds: float = 10) -> None:
    done = threading.Event()
    deadline = threading.Timer(seconds, done.set)
    deadline.start()
    try:
        while not condition():
            assert not done.wait(0.02), "it did not come true in time"
    finally:
        deadline.cancel()


# Faults


@pytest.mark.parametrize(
    ("fault", "taken", "seen"),
    [
        ({"kind": "status", "status": 503, "retry_after": 7}, False, (503, "soon")),
        ({"kind": "status_after"}, True, (500, "soon")),
        ({"kind": "throttle", "retry_after": 3}, False, (429, "")),
        ({"kind": "garbage"}, False, (200, "not a document")),
        ({"kind": "garbage_after"}, True, (200, "not a document")),
        ({"kind": "html", "takes_effect": True}, True, (200, "<!doctype html>")),
        ({"kind": "empty"}, False, (200, "")),
        ({"kind": "entity_bomb"}, False, (200, "<!DOCTYPE bomb")),
        ({"kind": "namespace"}, True, (200, 'xmlns="https://fcp.efulfillmentservice.com/xml/submit"')),
        ({"kind": "duplicate"}, False, (200, "Duplicate order number: AAAA-000001 already exists")),
        ({"kind": "duplicate", "takes_effect": True}, True, (200, "Duplicate order number")),
        ({"kind": "unauthorized"}, False, (200, "Invalid MerchantToken")),
        ({"kind": "unauthorized", "status": 401}, False, (401, "Invalid MerchantToken")),
        ({"kind": "refuse", "words": "Out of <stock>"}, False, (200, "Out of &lt;stock&gt;")),
        ({"kind": "not_found"}, False, (404, "Not Found")),
        ({"kind": "big", "size": 2_000_000}, False, (200, "Success")),
        ({"kind": "latency", "seconds": 0.01}, True, (200, "<Status>Success</Status>")),
        ({"kind": "latency", "seconds": 0.01, "takes_effect": False}, True, (200, "<Status>Success</Status>")),
    ],
)
def test_a_fault_answers_as_planned_once(
    sandbox: Sandbox, fault: dict[str, Any], taken: bool, seen: tuple[int, str]
) -> None:
    sandbox.fault("submit", **fault)
    answer = post(sandbox, "orders", submission())
    assert answer.status_code == seen[0]
    assert seen[1] in answer.content.decode("utf-8", "replace")
    assert answer.headers.get("Retry-After") == (str(fault["retry_after"]) if "retry_after" in fault else None)
    assert (sandbox.accepted() == {"AAAA-000001": 1}) is taken
    assert sandbox.faults() == []
    assert words(post(sandbox, "orders", submission("BBBB-000002")))["Status"] == "Success"


@pytest.mark.parametrize(("kind", "taken"), [("reset_before", False), ("reset_after", True), ("cut_after", True)])
def test_a_broken_connection_says_nothing_about_the_order(sandbox: Sandbox, kind: str, taken: bool) -> None:
    sandbox.fault("submit", kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(sandbox, "orders", submission())
    assert (sandbox.accepted() == {"AAAA-000001": 1}) is taken


def test_half_an_answer_in_an_unbroken_connection(sandbox: Sandbox) -> None:
    sandbox.fault("submit", "truncate")
    answer = post(sandbox, "orders", submission())
    assert answer.status_code == 200
    with pytest.raises(etree.XMLSyntaxError):
        words(answer)
    assert sandbox.accepted() == {"AAAA-000001": 1}


def test_faults_choose_whom_they_concern(sandbox: Sandbox) -> None:
    sandbox.put_merchant("817", token="merchant-token")
    sandbox.fault("submit", "not_found", merchant="817", times=None)
    sandbox.fault("submit", "throttle", order="BBBB-000002")
    sandbox.fault("orders", "html", account="1000001", skip=1)
    assert post(sandbox, "orders", submission("AAAA-000001")).status_code == 200
    assert post(sandbox, "orders", submission("BBBB-000002")).status_code == 429
    assert post(sandbox, "orders", submission("BBBB-000002")).status_code == 200
    assert [post(sandbox, "orders", submission(MerchantId="817")).status_code for _ in range(3)] == [404] * 3
    assert get(sandbox, "accounts/1000001/orders").headers["Content-Type"].startswith(JSON)
    assert get(sandbox, "accounts/1000001/orders").headers["Content-Type"] == "text/html"
    assert get(sandbox, "accounts/1000001/orders").headers["Content-Type"].startswith(JSON)


@pytest.mark.parametrize(
    ("on", "kind", "status"),
    [
        ("orders", "unauthorized", 401),
        ("order", "not_found", 404),
        ("patch", "refuse", 402),
        ("product", "throttle", 429),
        ("token", "status", 500),
    ],
)
def test_faults_of_big_cartel(sandbox: Sandbox, on: str, kind: str, status: int) -> None:
    sandbox.put_product("101", name="Mug", description="SKU:MUG-01")
    number = sandbox.place_order()
    sandbox.fault(on, kind)
    answers = {
        "orders": lambda: get(sandbox, "accounts/1000001/orders"),
        "order": lambda: get(sandbox, f"accounts/1000001/orders/{number}"),
        "patch": lambda: patch(sandbox, number, {"shipping_status": "shipped"}),
        "product": lambda: get(sandbox, "accounts/1000001/products/101"),
        "token": lambda: exchange(sandbox, "x"),
    }
    assert answers[on]().status_code == status
    assert sandbox.shipping_statuses() == {number: "unshipped"}


def test_a_fault_that_makes_no_sense_is_refused(sandbox: Sandbox) -> None:
    for on, kind, details in (
        ("submit", "explode", {}),
        ("submit", "reset_before", {"takes_effect": True}),
        ("submit", "latency", {"minutes": 3}),
    ):
        with pytest.raises(SandboxError):
            sandbox.fault(on, kind, **details)
    with pytest.raises(SandboxError):
        sandbox.fault("orders", "latency", side="fcp")


def in_background(sandbox: Sandbox, timeout: float) -> threading.Thread:
    """Submit from a thread whose client gives up after `timeout` seconds."""

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


def test_a_hanging_request_is_taken_and_seen_until_it_is_released(sandbox: Sandbox) -> None:
    sandbox.fault("submit", "hang")
    thread = in_background(sandbox, 10)
    held = sandbox.wait_until_waiting(1)
    assert (held[0]["call"], held[0]["party"], held[0]["orders"]) == ("submit", "816", ["AAAA-000001"])
    assert sandbox.accepted() == {"AAAA-000001": 1}
    sandbox.release()
    thread.join(5)
    assert not thread.is_alive()
    assert sandbox.waiting() == []


@pytest.mark.parametrize(("takes_effect", "accepted"), [(True, {"AAAA-000001": 1}), (False, {})])
def test_a_client_that_goes_away_while_it_waits(sandbox: Sandbox, takes_effect: bool, accepted: dict[str, int]) -> None:
    sandbox.fault("submit", "latency", seconds=30, takes_effect=takes_effect)
    thread = in_background(sandbox, 0.3)
    sandbox.wait_until_waiting(1)
    thread.join(5)
    wait_for(lambda: sandbox.waiting() == [])
    assert sandbox.accepted() == accepted


def test_waiting_for_a_request_that_never_comes_says_so(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="0 requests are held"):
        sandbox.wait_until_waiting(1, seconds=0.05)


def test_calls_are_counted_by_family_and_party(sandbox: Sandbox) -> None:
    sandbox.clear_calls()
    number = sandbox.place_order()
    get(sandbox, "accounts/1000001/orders", sort="updated_at")
    get(sandbox, f"accounts/1000001/orders/{number}")
    post(sandbox, "orders", submission())
    post(sandbox, "orders", submission(MerchantId="900"))
    assert sandbox.calls() == {
        "GET /v1/accounts/{account}/orders": 1,
        "GET /v1/accounts/{account}/orders/{order}": 1,
        "POST /xml/orders/": 2,
    }
    assert sandbox.calls("fcp", party="900") == {"POST /xml/orders/": 1}
    assert sandbox.requests("bigcartel")[0]["target"] == "/v1/accounts/1000001/orders?sort=updated_at"
    sandbox.clear_calls()
    assert sandbox.calls() == {}


# The shop to look at


def test_the_seeded_shops_are_believable_and_their_pages_work() -> None:
    with running_sandbox(seed_shop=True) as sandbox:
        orders = sandbox.orders("1000001")
        assert 38 <= len(orders) <= 45
        assert sum(order["payment_status"] == "unpaid" for order in orders.values()) == 2
        assert sum(order["payment_status"] == "pending" for order in orders.values()) == 1
        assert sum(order["shipping_status"] == "shipped" for order in orders.values()) == 1
        headers = {**HEADERS, "Authorization": "Bearer sandbox-access-token"}
        page = requests.get(
            f"{sandbox.bigcartel_api_url}/accounts/1000001/orders?page[limit]=100", headers=headers, timeout=TIMEOUT
        ).json()
        countries = {order["attributes"]["shipping_country_id"] for order in page["data"]}
        assert {"US", "PR", "GB", "DE", "CA", "AU", "JP"} <= countries

        body = html.fromstring(requests.get(f"{sandbox.bigcartel}/", timeout=TIMEOUT).content)
        assert body.findtext(".//h1") == "Fern & Fable"
        assert f"{len(orders)}orders" in body.find_class("totals")[0].text_content()
        assert len(body.xpath("//table")[0].xpath(".//tbody/tr")) == len(orders)
        place = next(form for form in body.forms if form.action == "/_page/place")
        requests.post(f"{sandbox.bigcartel}/_page/place", data=dict(place.form_values()), timeout=TIMEOUT)
        assert len(sandbox.orders("1000001")) == len(orders) + 1

        new = {"account": "1000001", "product": "107", "description": "Signed <b>print</b>. SKU:PRINT-WILD"}
        products = requests.post(f"{sandbox.bigcartel}/_page/describe", data=new, timeout=TIMEOUT)
        assert "Signed &lt;b&gt;print" in products.text
        number = next(iter(orders))
        form = {"account": "1000001", "number": number}
        requests.post(f"{sandbox.bigcartel}/_page/ship", data=form, timeout=TIMEOUT)
        assert sandbox.shipping_statuses()[number] == "shipped"

        taken = submission(MerchantName="Fern &amp; Fable", MerchantToken="sandbox-token", Sku="SHIRT-X-LARGE")
        assert words(post(sandbox, "orders", taken))["Status"] == "Success"
        refused = taken.replace(b"SHIRT-X-LARGE", b"GUIDE-1").replace(b"AAAA", b"BBBB")
        assert words(post(sandbox, "orders", refused))["Error"] == "Invalid SKU: GUIDE-1"
        warehouse = html.fromstring(requests.get(f"{sandbox.fcp}/", timeout=TIMEOUT).content)
        assert "1orders taken" in warehouse.find_class("totals")[0].text_content()
        form = {"merchant": "816", "number": "AAAA-000001"}
        shown = requests.post(f"{sandbox.fcp}/_page/ship", data=form, timeout=TIMEOUT)
        assert "Completed" in shown.text
        assert sandbox.received()["AAAA-000001"]["status"] == "Completed"


# The process


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> Sandbox:
    assert process.stdout is not None
    return Sandbox(**json.loads(process.stdout.readline()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_start_goes_on_where_the_first_stopped(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "deep" / "sandbox.json"
    with start("--seed-shop", "--state", str(state)) as process:
        sandbox = ready(process)
        placed = sandbox.place_order()
        sandbox.patch_product("107", description="SKU:PRINT-WILD")
        post(
            sandbox, "orders", submission(MerchantName="Fern &amp; Fable", MerchantToken="sandbox-token", Sku="CARD-12")
        )
        sandbox.ship_all()
        before = sandbox.orders()
        process.send_signal(number)
        assert process.wait(10) == 0
    with running_sandbox(seed_shop=True, state=state) as again:
        assert again.orders() == before
        assert placed in before
        assert again.received()["AAAA-000001"]["status"] == "Completed"
        assert again.received()["AAAA-000001"]["items"] == [{"sku": "CARD-12", "quantity": 2}]
    assert [path.name for path in state.parent.iterdir()] == ["sandbox.json"]


def test_what_changed_is_saved_while_it_runs(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    with running_sandbox(state=state) as sandbox:
        sandbox.put_account("77")
        wait_for(lambda: state.exists() and '"77"' in state.read_text())


def test_it_stops_with_its_starter_also_while_a_request_hangs() -> None:
    with start("--stop-with-stdin") as process:
        sandbox = ready(process)
        sandbox.put_merchant("816", token="merchant-token")
        sandbox.fault("submit", "hang")
        thread = in_background(sandbox, 10)
        sandbox.wait_until_waiting(1)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        thread.join(10)


def test_a_taken_port_and_a_broken_state_file_are_one_sentence_each(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with start("--fcp-port", port) as process:
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 1
        assert len(errors.splitlines()) == 1
        assert port in errors
    broken = tmp_path / "state.json"
    broken.write_text("{")
    with start("--state", str(broken)) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == f"{broken} is not a state file of the sandbox: delete it.\n"
