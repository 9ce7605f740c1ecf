"""A cancellation or refund is noticed wherever Big Cartel's answer speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.bigcartel_documents import as_stored, order_document, order_documents, read_stored

if TYPE_CHECKING:
    from collections.abc import Callable

CANCELED: list[dict[str, Any]] = [
    {"payment_status": "refunded"},
    {"payment_status": "Partially-Refunded"},
    {"payment_status": "voided"},
    {"financial_status": "charged_back"},
    {"shipping_status": "cancelled"},
    {"status": "CANCELED"},
    {"canceled": True},
    {"is_cancelled": "true"},
    {"cancelledAt": "2026-11-20T10:00:00Z"},
    {"cancel_reason": "requested by the buyer"},
    {"refund_total": "10.0"},
    {"refunded_amount": 1},
    {"refunds": [{"amount": "1.0"}]},
    {"payment": {"state": "refunded"}},
    {"dispute_status": "open"},
    {"refund_status": "partial"},
    {"substatus": "cancel_requested"},
    {"status_label": "Canceled"},
    {"flags": ["refunded"]},
    {"payment_statuses": {"stripe": ["refunded"]}},
    {"payment_status_by_provider": [{"stripe": "Not shipped, refunded"}]},
    {"payment_state": "not shipped, refunded"},
]
NOT_CANCELED: list[dict[str, Any]] = [
    {"cancelled_at": None, "canceled": False, "refund_total": "0.0", "refunded_amount": 0, "refunds": []},
    {"refund_status": "none", "dispute_status": "", "refund_count": "0", "cancelled": "false"},
    {"refund_status": "not_refunded"},
    {"payment_state": "not refunded"},
    {"refundable": True, "refundable_amount": "100.1", "can_cancel": True, "cancelable_until": "2026-12-01"},
    {"refund_policy_url": "https://shop.example/refunds"},
    {"refunds": {"total": "0.0", "items": []}},
    {"refunded_amount": {"amount": "0.00", "currency": "USD"}},
    {"accepts_returns": True, "cancel_by": "2026-12-01", "discount_code": "REFUND"},
    {"discounts": [{"code": "REFUND"}], "referral_source": "cancel culture blog", "recipient": "Void"},
    {"payment_state": "not canceled or refunded"},
    {"customer_company": "Void", "tags": ["Vinyl", "Refundable deposit"]},
    {"customer_note": "Please cancel and refund if late", "customer_last_name": "Void"},
    {"shipping_address_1": "1 Refund Street", "shipping_city": "Cancelled Creek"},
]
PARTS: list[tuple[str, str, dict[str, Any]]] = [
    ("events", "order_events", {"message": "Order canceled", "identifier": None}),
    ("events", "order_events", {"message": "Refunded $10.00 to Visa ending in 1234"}),
    ("events", "order_events", {"message": "Status changed", "identifier": "cancelled"}),
    ("events", "order_events", {"message": "Order canceled without refund"}),
    ("events", "order_events", {"message": "Not shipped, refunded"}),
    ("events", "order_events", {"message": "Updated", "changes": {"payment_status": ["completed", "refunded"]}}),
    ("transactions", "order_transactions/payments", {"amount": "\u20138.00"}),
    ("transactions", "order_transactions/refunds", {"amount": "10.0", "label": "Visa ending in 1234"}),
    ("transactions", "order_transactions/payments", {"amount": "-10.0", "label": "Visa ending in 1234"}),
    ("transactions", "order_transactions/payments", {"amount": "10.0", "label": "Refund to Visa"}),
    ("transactions", "order_transactions/payments", {"amount": "10.0", "status": "refunded"}),
    ("refunds", "order_refunds", {"amount": "10.0"}),
    ("items", "order_line_items", {"quantity": 1, "product_name": "Mug", "quantity_refunded": 1}),
    ("adjustments", "order_adjustments/refund", {"amount": "10.0"}),
]
HARMLESS: list[tuple[str, str, dict[str, Any]]] = [
    ("events", "order_events", {"message": "Payment completed", "identifier": "payment_status"}),
    ("events", "order_events", {"message": "Marked as unshipped", "identifier": "shipping_status"}),
    ("events", "order_events", {"message": "Non-refundable deposit paid"}),
    ("transactions", "order_transactions/payments", {"amount": "10.0", "label": "Visa", "processor": "stripe"}),
    ("items", "order_line_items", {"quantity": 1, "product_name": "Cancelled stamp", "product_option_name": "Void"}),
    ("adjustments", "order_adjustments/base", {"amount": "5.0", "label": "Refunds are possible - [Standard]"}),
]


def _document(payload: Callable[[str], Any], **attributes: Any) -> Any:
    document = payload("bigcartel_order_single")
    document["data"]["attributes"] |= attributes
    return document


def _with_part(payload: Callable[[str], Any], relationship: str, kind: str, attributes: dict[str, Any]) -> Any:
    document = _document(payload)
    links = document["data"]["relationships"].setdefault(relationship, {"data": []})["data"]
    links.append({"type": kind, "id": "99"})
    document["included"].append({"id": "99", "type": kind, "attributes": attributes})
    return document


def _signs(document: Any) -> tuple[str, ...]:
    """Return the signs that are still there after storage, the same for a single order and for one from a list."""
    single = read_stored(as_stored(order_document(document))).cancellations
    [(_, listed)] = order_documents({"data": [document["data"]], "included": document["included"]})
    assert read_stored(as_stored(listed)).cancellations == single
    return single


@pytest.mark.parametrize("attributes", CANCELED, ids=str)
def test_canceled_or_refunded_order_is_noticed(payload: Callable[[str], Any], attributes: dict[str, Any]) -> None:
    assert _signs(_document(payload, **attributes))


@pytest.mark.parametrize("attributes", NOT_CANCELED, ids=str)
def test_fields_that_deny_it_or_are_peoples_words_are_no_sign(
    payload: Callable[[str], Any], attributes: dict[str, Any]
) -> None:
    assert _signs(_document(payload, **attributes)) == ()


@pytest.mark.parametrize(("relationship", "kind", "attributes"), PARTS, ids=str)
def test_part_that_speaks_of_it_is_noticed(
    payload: Callable[[str], Any], relationship: str, kind: str, attributes: dict[str, Any]
) -> None:
    assert _signs(_with_part(payload, relationship, kind, attributes))


@pytest.mark.parametrize(("relationship", "kind", "attributes"), HARMLESS, ids=str)
def test_ordinary_part_is_no_sign(
    payload: Callable[[str], Any], relationship: str, kind: str, attributes: dict[str, Any]
) -> None:
    assert _signs(_with_part(payload, relationship, kind, attributes)) == ()


def test_relationship_without_included_objects_is_a_sign(payload: Callable[[str], Any]) -> None:
    document = _document(payload)
    document["data"]["relationships"]["refunds"] = {"data": [{"type": "refunds", "id": "1"}]}
    assert _signs(document)
    document["data"]["relationships"]["refunds"] = {"data": []}
    assert _signs(document) == ()


def test_relationship_with_only_a_count_is_a_sign(payload: Callable[[str], Any]) -> None:
    document = _document(payload)
    document["data"]["relationships"]["refunds"] = {"meta": {"count": 1}}
    assert _signs(document)
    document["data"]["relationships"]["refunds"] = {"meta": {"count": 0}}
    assert _signs(document) == ()


def test_link_to_a_refund_is_a_sign_without_the_refund_itself(payload: Callable[[str], Any]) -> None:
    document = _document(payload)
    document["data"]["relationships"]["transactions"]["data"].append({"type": "order_transactions/refunds", "id": "9"})
    assert _signs(document)


def test_items_and_payments_relationship_is_a_sign(payload: Callable[[str], Any]) -> None:
    document = _document(payload)
    [payment] = [part for part in document["included"] if part["type"] == "order_transactions/payments"]
    payment["relationships"]["refunds"] = {"data": [{"type": "refunds", "id": "9"}]}
    assert _signs(document)


def test_field_beside_the_attributes_is_a_sign(payload: Callable[[str], Any]) -> None:
    document = _document(payload)
    document["data"]["status"] = "canceled"
    assert _signs(document)


@pytest.mark.parametrize("names_order", [True, False])
def test_refund_that_names_its_order_is_a_sign(payload: Callable[[str], Any], *, names_order: bool) -> None:
    document = _document(payload)
    number = document["data"]["id"] if names_order else "OTHER-000001"
    related = {"order": {"data": {"type": "orders", "id": number}}}
    document["included"].append({"id": "9", "type": "refunds", "attributes": {}, "relationships": related})
    [(_, listed)] = order_documents({"data": [document["data"]], "included": document["included"]})
    assert bool(read_stored(as_stored(listed)).cancellations) is names_order


def test_signs_quote_no_message(payload: Callable[[str], Any]) -> None:
    [sign] = _signs(_with_part(payload, "events", "order_events", {"message": "Refunded to Ada Miller"}))
    assert "Ada" not in sign


def test_other_orders_parts_are_no_sign(payload: Callable[[str], Any]) -> None:
    document = _document(payload)
    other = {"id": "77", "type": "order_events", "attributes": {"message": "Order canceled"}}
    [(_, listed)] = order_documents({"data": [document["data"]], "included": [*document["included"], other]})
    assert read_stored(as_stored(listed)).cancellations == ()
