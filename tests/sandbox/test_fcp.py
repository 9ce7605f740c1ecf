"""The FCP answers as its guide describes."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from sandbox.client import Sandbox, running_sandbox
from sandbox.control_calls import SandboxError
from sandbox.warehouse import stays_open
from tests.sandbox.callers import PAYLOADS, fields, post, status_request, submission, wait_for


def test_order_is_accepted_once(sandbox: Sandbox) -> None:
    first = post(sandbox, "orders", submission())
    assert fields(first)["Status"] == "Success"
    assert fields(first)["OrderNumber"] == "AAAA-000001"
    assert fields(first)["OrderStatus"] == "Pending"
    assert int(fields(first)["OrderId"]) > 0
    second = post(sandbox, "orders", submission())
    assert second.status_code == 200
    assert fields(second)["Error"] == "Duplicate order number: AAAA-000001 already exists"
    received = sandbox.received()["AAAA-000001"]
    assert (received["posted"], received["accepted"]) == (2, 1)
    assert received["items"] == [{"sku": "MUG-01", "quantity": 2}]
    assert received["address"]["City"] == "Chicago"


def test_documented_requests_are_understood(sandbox: Sandbox) -> None:
    body = (PAYLOADS / "fcp_submit_request_minimal.xml").read_text()
    for old, new in (
        ("MERCHANT_ID", "816"),
        ("MERCHANT_NAME", "Example Shop"),
        ("REDACTED", "merchant-token"),
    ):
        body = body.replace(old, new)
    assert fields(post(sandbox, "orders", body.encode()))["Status"] == "Success"
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
def test_order_that_cannot_be_shipped_is_rejected(sandbox: Sandbox, changes: dict[str, str], error: str) -> None:
    sandbox.put_merchant("816", token="merchant-token", skus=["MUG-01"], methods=["USPS_MEDIA"])
    answer = post(sandbox, "orders", submission(**changes))
    assert answer.status_code == 200
    assert fields(answer)["Status"] == "Failure"
    assert fields(answer)["Error"] == error
    assert sandbox.accepted() == {}


def test_several_orders_malformed_xml_and_a_dtd_are_rejected(sandbox: Sandbox) -> None:
    order = re.search(rb"<Order>.*</Order>", submission("BBBB-000002"))
    assert order is not None
    two = submission().replace(b"</OrderList>", order.group() + b"</OrderList>")
    assert "Only one order" in fields(post(sandbox, "orders", two))["Error"]
    assert "well-formed" in fields(post(sandbox, "orders", submission()[:-5]))["Error"]
    bomb = b'<!DOCTYPE x [<!ENTITY e "816">]>' + submission(MerchantId="&e;")
    assert "well-formed" in fields(post(sandbox, "orders", bomb))["Error"]
    assert "Content-Type" in fields(post(sandbox, "orders", submission(), "application/json"))["Error"]
    assert sandbox.accepted() == {}


def test_test_order_is_checked_but_not_stored(sandbox: Sandbox) -> None:
    sandbox.put_merchant("816", token="merchant-token", skus=["MUG-01"])
    assert fields(post(sandbox, "orders", submission(Version="TEST")))["Status"] == "Success"
    assert fields(post(sandbox, "orders", submission(Version="TEST", Sku="CUP")))["Error"] == "Invalid SKU: CUP"
    assert sandbox.accepted() == {}
    assert sandbox.received()["AAAA-000001"]["tested"] == 2
    assert fields(post(sandbox, "orders", submission()))["Status"] == "Success"


def test_status_changes_when_the_warehouse_ships(sandbox: Sandbox) -> None:
    post(sandbox, "orders", submission("AAAA-000001"))
    post(sandbox, "orders", submission("BBBB-000002"))
    request = status_request("AAAA-000001", "BBBB-000002", "CCCC-000003")
    root = etree.fromstring(post(sandbox, "status", request).content)
    assert root.findtext("Status") == "Success"
    assert [one.text for one in root.iter("OrderNumber")] == ["AAAA-000001", "BBBB-000002"]
    assert [one.text for one in root.iter("OrderStatus")] == ["Pending", "Pending"]
    assert sandbox.ship(["AAAA-000001"], tracking=["1", "2"], joined=True) == ["AAAA-000001"]
    shipped = fields(post(sandbox, "status", status_request("AAAA-000001")))
    assert shipped["OrderStatus"] == "Completed"
    assert shipped["Carrier"] == "USPS"
    assert shipped["TrackingNumber"] == "1;2"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shipped["ShipDate"])
    sandbox.set_status("BBBB-000002", "On Hold")
    assert fields(post(sandbox, "status", status_request("BBBB-000002")))["OrderStatus"] == "On Hold"
    assert sandbox.ship_all() == ["BBBB-000002"]
    assert fields(post(sandbox, "status", status_request(*["x"] * 101)))["Status"] == "Failure"
    wrong = fields(post(sandbox, "status", status_request("AAAA-000001", token="x")))
    assert wrong["Error"] == "Invalid MerchantToken"


def test_order_in_parts_is_listed_once_per_part(sandbox: Sandbox) -> None:
    post(sandbox, "orders", submission("AAAA-000001"))
    parts = [{"status": "Completed", "tracking": ["1"]}, {"status": "Pending"}]
    sandbox.set_status("AAAA-000001", "Pending", parts=parts)
    root = etree.fromstring(post(sandbox, "status", status_request("AAAA-000001")).content)
    assert [one.text for one in root.iter("OrderNumber")] == ["AAAA-000001"] * 2
    assert [one.text for one in root.iter("OrderStatus")] == ["Completed", "Pending"]
    assert [one.text for one in root.iter("TrackingNumber")] == ["1"]
    with pytest.raises(SandboxError):
        sandbox.set_status("AAAA-000001", "Pending", parts=[{"number": "AAAA-000002"}])


def test_warehouse_ships_most_orders_automatically() -> None:
    numbers = [f"AAAA-{number:06}" for number in range(1, 41)]
    most = {number for number in numbers if not stays_open(number)}
    assert len(numbers) / 2 < len(most) < len(numbers)
    assert numbers[0] not in most
    with running_sandbox(ship_after=0.2) as sandbox:
        sandbox.put_merchant("816", token="merchant-token")
        for number in numbers:
            post(sandbox, "orders", submission(number))
        # If the first order shipped, it would do so before the others, so the sets can't match just for a moment.
        wait_for(lambda: with_status(sandbox, "Completed") == most)
        wait_for(lambda: with_status(sandbox, "In Process") == set(numbers) - most)
        assert all(sandbox.received()[number]["tracking"] for number in most)


def with_status(sandbox: Sandbox, status: str) -> set[str]:
    return {number for number, order in sandbox.received().items() if order["status"] == status}
