"""Reading Big Cartel's documents, including malformed ones."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from portal.clients.bigcartel import as_stored, order_documents, read_order, read_product, read_stored
from portal.clients.bigcartel_documents import order_document, read_account, read_products
from portal.clients.bigcartel_types import BigCartelAddress, BigCartelOrder, LineItem, Option
from portal.clients.errors import ServiceError, UnexpectedAnswer
from portal.clients.jsonapi import error_words, parse_json
from tests.clients.json_values import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable


def test_documented_order_is_read_in_full(payload: Callable[[str], Any]) -> None:
    assert read_order(payload("bigcartel_order_single")) == BigCartelOrder(
        number="LMFN-543196",
        payment_status="completed",
        shipping_status="unshipped",
        placed_at=datetime(2014, 12, 25, tzinfo=UTC),
        updated_at=datetime(2014, 12, 25, tzinfo=UTC),
        address=BigCartelAddress(
            first_name="Joe",
            last_name="Somebody",
            address_1="123 some street",
            address_2="#123",
            city="Somewhere",
            state="UT",
            zip="64801",
            country_code="US",
            country_name="United States",
            phone="+1 (123) 456-7890",
            email="joe@somebody.com",
        ),
        items=(LineItem("2", "7", "This product", "8", "This option", 1),),
        labels=("Shipping charges",),
        discounts=("[FREESHIPPING] Free shipping discount",),
        note="Created by Joe",
        item_count=1,
    )


def test_list_is_split_into_one_document_per_order(payload: Callable[[str], Any]) -> None:
    page = payload("bigcartel_orders_list")
    documents = order_documents(page)
    assert [number for number, _ in documents] == ["AAAA-000001", "BBBB-000002"]
    orders = [read_order(document) for _, document in documents]
    assert [[item.id for item in order.items] for order in orders] == [["13"], ["23"]]
    assert orders[0].items[0] == LineItem("13", "101", "Product A", "201", "", 1)
    assert orders[0].labels == ("Shipping to United States",)
    assert orders[0].address.state == "District of Columbia"
    assert {order.shipping_status for order in orders} == {"shipped"}
    assert not orders[0].unreadable


def test_payments_and_events_are_dropped(payload: Callable[[str], Any]) -> None:
    for _, document in order_documents(payload("bigcartel_orders_list")):
        kinds = {entry["type"] for entry in document["included"]}
        assert kinds == {"order_line_items", "order_adjustments/shipping", "countries"}
    single = order_document(payload("bigcartel_order_single"))
    assert "Visa" not in json.dumps(single)


@pytest.mark.parametrize("kind", ["tax", "taxes", "sales_tax", "sales_taxes"])
def test_taxes_name_no_shipping_rate(payload: Callable[[str], Any], kind: str) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["relationships"]["adjustments"]["data"].append({"type": f"order_adjustments/{kind}", "id": "99"})
    document["included"].append(
        {"id": "99", "type": f"order_adjustments/{kind}", "attributes": {"label": "Pickup county tax"}}
    )
    assert "Pickup county tax" not in read_order(order_document(document)).labels


def test_newer_line_items_and_labels_are_read(payload: Callable[[str], Any]) -> None:
    document = payload("bigcartel_order_single")
    item = payload("bigcartel_order_line_item_current")
    label = payload("bigcartel_order_adjustment_shipping_base")
    document["included"] += [item, label]
    document["data"]["relationships"]["items"]["data"] = [{"type": "order_line_items", "id": "13"}]
    document["data"]["relationships"]["adjustments"]["data"].append({"type": label["type"], "id": "15"})
    document["data"]["attributes"] |= {"shipping_country_id": "ca", "shipping_country_name": "Canada"}
    order = read_order(order_document(document))
    assert order.items == (LineItem("13", "101", "Shirt", "201", "SMALL", 2, 0, 2),)
    assert order.labels == ("Shipping charges", "Stamps only - [Standard (with tracking)]")
    assert (order.address.country_code, order.address.country_name) == ("CA", "Canada")


def test_product_id_may_be_an_attribute(payload: Callable[[str], Any]) -> None:
    document = payload("bigcartel_order_single")
    item = next(entry for entry in document["included"] if entry["type"] == "order_line_items")
    item["relationships"]["product"]["data"] = None
    assert read_order(document).items[0].product_id is None
    item["attributes"]["product_id"] = 101
    assert read_order(document).items[0].product_id == "101"
    assert not read_order(document).unreadable


ORDER_FIELDS = [
    ("customer_first_name", 7),
    ("customer_email", ["a"]),
    ("shipping_zip", 1234),
    ("shipping_address_1", {}),
    ("shipping_state", True),
    ("payment_status", 1),
    ("shipping_status", {"is": "shipped"}),
    ("completed_at", "yesterday"),
    ("completed_at", 1795460400),
    ("updated_at", "0001-01-01T00:00:00+14:00"),
    ("shipping_country_id", "USA"),
    ("shipping_country_id", 43),
    ("shipping_country_id", "ÜS"),
]


@pytest.mark.parametrize("typed", ["us", " US\n", "\u200bU\u200dS\ufe0f", "\u3164US"])
def test_blanks_around_and_within_a_country_code_do_not_matter(payload: Callable[[str], Any], typed: str) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["attributes"]["shipping_country_id"] = typed
    order = read_order(document)
    assert (order.address.country_code, order.unreadable) == ("US", ())


@pytest.mark.parametrize("data", [[], None, [{"type": "shipments", "id": "5"}]])
def test_order_with_a_shipment_says_so(payload: Callable[[str], Any], data: Any) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["relationships"]["shipments"] = {"data": data}
    assert read_order(document).has_shipments is bool(data)


@pytest.mark.parametrize(("field", "value"), ORDER_FIELDS)
def test_field_of_an_unknown_type_is_listed_as_unreadable(
    payload: Callable[[str], Any], field: str, value: object
) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["attributes"][field] = value
    assert read_order(document).unreadable == (field,)


@pytest.mark.parametrize("field", sorted({field for field, _ in ORDER_FIELDS} | {"customer_note", "created_at"}))
def test_missing_or_null_field_is_not_unreadable(payload: Callable[[str], Any], field: str) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["attributes"][field] = None
    without = copy.deepcopy(document)
    del without["data"]["attributes"][field]
    assert read_order(document) == read_order(without)
    assert read_order(document).number == "LMFN-543196"
    assert not read_order(document).unreadable


@pytest.mark.parametrize(
    ("quantity", "read"),
    [
        (1, 1),
        ("2", 2),
        (" 3 ", 3),
        (0, None),
        (-1, None),
        (1.0, 1),
        ("2.0", 2),
        (1.5, None),
        ("1.5", None),
        ("many", None),
        (True, None),
        (None, None),
        (10**12, None),
        ("٣", None),
    ],
)
def test_quantity_is_a_positive_whole_number_or_unreadable(
    payload: Callable[[str], Any], quantity: object, read: int | None
) -> None:
    document = payload("bigcartel_order_single")
    item = next(entry for entry in document["included"] if entry["type"] == "order_line_items")
    item["attributes"]["quantity"] = quantity
    order = read_order(document)
    assert order.items[0].quantity == read
    assert order.unreadable == (() if read else ("items.quantity",))


@pytest.mark.parametrize(
    "items",
    [
        [{"type": "order_line_items", "id": "2"}, {"type": "order_line_items", "id": "99"}],
        [{"type": "order_line_items", "id": "2"}, {"type": "order_line_items"}],
        [{"type": "order_line_items", "id": "2"}, None],
        {"type": "order_line_items", "id": "2"},
        None,
        "2",
    ],
)
def test_order_with_missing_items_lists_items_as_unreadable(payload: Callable[[str], Any], items: object) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["relationships"]["items"]["data"] = items
    assert read_order(document).unreadable == ("items",)


def test_item_listed_twice_counts_once(payload: Callable[[str], Any]) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["relationships"]["items"]["data"] *= 2
    assert len(read_order(document).items) == 1


def test_order_without_items_is_readable(payload: Callable[[str], Any]) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["relationships"]["items"]["data"] = []
    order = read_order(document)
    assert (order.items, order.unreadable) == ((), ())


@pytest.mark.parametrize("value", ["Completed", " COMPLETED ", "completed"])
def test_statuses_are_trimmed_and_lowercased(payload: Callable[[str], Any], value: str) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["attributes"]["payment_status"] = value
    assert read_order(document).payment_status == "completed"


def test_order_is_placed_when_checkout_is_completed(payload: Callable[[str], Any]) -> None:
    document = payload("bigcartel_order_single")
    times = document["data"]["attributes"]
    times |= {"created_at": "2026-11-20T08:00:00.000Z", "completed_at": "2026-11-23T10:00:00+02:00"}
    assert read_order(document).placed_at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    times["completed_at"] = None
    assert read_order(document).placed_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_undocumented_status_is_passed_through(payload: Callable[[str], Any]) -> None:
    document = payload("bigcartel_order_single")
    document["data"]["attributes"]["shipping_status"] = "partially_shipped"
    assert read_order(document).shipping_status == "partially_shipped"


@pytest.mark.parametrize("document", [{}, {"data": None}, {"data": {}}, {"data": {"id": " "}}, {"data": [1]}])
def test_order_without_an_id_is_an_unexpected_answer(document: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        read_order(document)


def test_list_entries_without_an_id_are_skipped(payload: Callable[[str], Any]) -> None:
    page = payload("bigcartel_orders_list")
    page["data"] += [{"type": "orders"}, None, 7]
    assert len(order_documents(page)) == 2


def test_product_with_options_is_read(payload: Callable[[str], Any]) -> None:
    answer = payload("bigcartel_product_jsonapi")
    product = read_product(answer["data"], answer["included"])
    assert product.description == "Soft cotton shirt.\r\n\r\nSKU:SHIRT-"
    assert product.options == (Option("201", "SMALL"), Option("202", "X-LARGE"))
    assert (product.id, product.name, product.permalink, product.status) == ("101", "Shirt", "shirt", "active")


def test_product_with_missing_fields_and_options_is_read(payload: Callable[[str], Any]) -> None:
    answer = payload("bigcartel_product_jsonapi")
    answer["data"]["attributes"] = {"description": None, "name": 5}
    product = read_product(answer["data"], answer["included"][1:])
    assert (product.description, product.name) == ("", "")
    assert product.options == (Option("202", "X-LARGE"),)
    assert read_products({"data": [answer["data"], {}, None], "included": None})[0].options == ()


def test_account_may_be_in_a_list(payload: Callable[[str], Any]) -> None:
    answer = payload("bigcartel_account_list")
    account = read_account(answer, "1000001")
    assert (account.name, account.url) == ("exampleshop", "http://exampleshop.bigcartel.com")
    assert read_account({"data": answer["data"][0]}, "1000001") == account
    with pytest.raises(UnexpectedAnswer):
        read_account(answer, "2")


@given(DOCUMENTS)
def test_readers_raise_only_service_errors(document: dict[str, Any]) -> None:
    for read in (
        read_order,
        order_document,
        order_documents,
        read_products,
        lambda answer: read_product(answer.get("data"), answer.get("included")),
        lambda answer: read_account(answer, "1"),
        lambda answer: [read_order(order) for _, order in order_documents(answer)],
        lambda answer: error_words(json.dumps(answer).encode()),
    ):
        with suppress(ServiceError):
            read(document)


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"deeper": value}
    return value


@pytest.mark.parametrize(
    "attributes",
    [{"note": 10**30}, {"note": -(10**30)}, _nested(300), _nested(600)],
    ids=["large", "small", "deep", "deeper"],
)
def test_unusual_document_survives_storage(attributes: dict[str, Any]) -> None:
    document = {"data": {"id": "LMFN-543196", "type": "orders", "attributes": attributes}, "included": []}
    text = as_stored(parse_json(json.dumps(document).encode()))
    assert read_stored(text).number == "LMFN-543196"
    assert as_stored(parse_json(text.encode())) == text
