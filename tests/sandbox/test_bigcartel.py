"""Big Cartel's API answers as documented."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.callers import HEADERS, PAYLOADS, TIMEOUT, get, listed, patch

if TYPE_CHECKING:
    from sandbox.client import Sandbox


def test_order_has_every_field_of_the_documented_examples(sandbox: Sandbox) -> None:
    sandbox.put_product("101", name="Shirt", description="SKU:SHIRT-", options=["SMALL", "X-LARGE"])
    number = sandbox.place_order(items=[{"product": "101", "option": "X-LARGE", "quantity": 2}])
    example = json.loads((PAYLOADS / "bigcartel_order_single.json").read_text())
    line_file = "bigcartel_order_line_item_current.json"
    line_example = json.loads((PAYLOADS / line_file).read_text())

    order = get(sandbox, f"accounts/1000001/orders/{number}").json()

    assert set(example["data"]["attributes"]) <= set(order["data"]["attributes"])
    assert set(example["data"]["relationships"]) <= set(order["data"]["relationships"])
    for name, value in example["data"]["attributes"].items():
        actual = order["data"]["attributes"][name]
        assert actual is None or value is None or type(actual) is type(value), name
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


def test_api_document_can_be_placed_unchanged(sandbox: Sandbox) -> None:
    example = json.loads((PAYLOADS / "bigcartel_order_single.json").read_text())
    sandbox.place_order(document=example)
    answer = get(sandbox, "accounts/1000001/orders/LMFN-543196").json()
    assert answer["data"]["attributes"] == example["data"]["attributes"]
    assert answer["included"] == example["included"]


def test_next_links_lead_through_every_page(sandbox: Sandbox) -> None:
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


def test_single_page_has_no_links_and_a_page_holds_at_most_100_orders(sandbox: Sandbox) -> None:
    sandbox.place_orders(count=101)
    page = get(sandbox, "accounts/1000001/orders", **{"page[limit]": "1000"}).json()
    assert len(page["data"]) == 100
    sandbox.reset()
    sandbox.put_account("1000001", tokens=["shop-token"])
    assert get(sandbox, "accounts/1000001/orders").json()["links"] == {}


def test_included_objects_of_a_page_are_unique(sandbox: Sandbox) -> None:
    sandbox.place_orders(count=20)
    included = get(sandbox, "accounts/1000001/orders").json()["included"]
    ids = [(one["type"], one["id"]) for one in included]
    assert len(ids) == len(set(ids))
    assert ids.count(("countries", "US")) == 1


def test_order_list_filters_searches_and_sorts(sandbox: Sandbox) -> None:
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
def test_undocumented_parameter_or_invalid_value_is_rejected(sandbox: Sandbox, params: dict[str, str]) -> None:
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
def test_headers_and_access_token_are_required(sandbox: Sandbox, changes: dict[str, str | None], status: int) -> None:
    sandbox.put_account("2", tokens=["another"])
    headers = {**HEADERS, **{key: "" if value is None else value for key, value in changes.items()}}
    answer = requests.get(f"{sandbox.bigcartel_api_url}/accounts/1000001/orders", headers=headers, timeout=TIMEOUT)
    assert answer.status_code == status
    assert answer.json()["errors"]


def test_products_accounts_and_countries_are_served(sandbox: Sandbox) -> None:
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


def test_order_of_a_product_without_options_has_an_empty_option_name(sandbox: Sandbox) -> None:
    sandbox.put_product("101", name="Mug", description="SKU:MUG-01")
    number = sandbox.place_order()
    included = get(sandbox, f"accounts/1000001/orders/{number}").json()["included"]
    line = next(one for one in included if one["type"] == "order_line_items")
    assert line["attributes"]["product_option_name"] == ""
    assert line["relationships"]["product_option"]["data"]["id"]


# Updating orders


def test_marking_an_order_shipped_updates_it_and_is_counted(sandbox: Sandbox) -> None:
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


def test_invalid_patch_changes_nothing(sandbox: Sandbox) -> None:
    number = sandbox.place_order()
    assert patch(sandbox, number, {"shipping_status": "lost"}).status_code == 402
    assert patch(sandbox, number, {"total": "0.0"}).status_code == 400
    json_type = {"Content-Type": "application/json"}
    assert patch(sandbox, number, {"shipping_status": "shipped"}, **json_type).status_code == 406
    assert patch(sandbox, "ZZZZ-999999", {"shipping_status": "shipped"}).status_code == 404
    assert sandbox.shipping_statuses() == {number: "unshipped"}


def test_orders_can_be_edited_shipped_and_canceled_through_the_control_api(sandbox: Sandbox) -> None:
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
