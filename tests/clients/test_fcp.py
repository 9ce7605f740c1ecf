"""Submitting to the FCP: what each answer means for the order."""

from __future__ import annotations

from dataclasses import replace

import pytest
import responses

from portal.clients.errors import (
    Duplicate,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.clients.fcp import Fcp, FcpAddress, FcpItem, OrderRequest
from tests.clients.fcp_stub import SUCCESS, TOKEN, answered, failed, sent

ORDER = OrderRequest(
    order_number="LMFN-543196",
    shipping_method="USPS_MEDIA",
    address=FcpAddress(first_name="Joe", last_name="Somebody", address1="123 some street", country="US"),
    items=(FcpItem("SHIRT-SMALL", 2),),
)


@responses.activate
def test_order_is_accepted(fcp: Fcp) -> None:
    answered(SUCCESS)
    accepted = fcp.submit(ORDER)
    assert (accepted.order_id, accepted.order_status) == ("901234", "Pending")
    assert responses.calls[0].request.headers["Content-Type"] == "text/xml"
    assert b"<Version>0.6</Version>" in sent()
    assert "<MerchantToken>•••</MerchantToken>" in accepted.exchange.request
    assert "<Sku>SHIRT-SMALL</Sku>" in accepted.exchange.request
    assert (accepted.exchange.answer, accepted.exchange.status) == (SUCCESS, 200)


@responses.activate
def test_test_order_has_version_test(fcp: Fcp) -> None:
    answered(SUCCESS)
    fcp.submit(ORDER, test=True)
    assert b"<Version>TEST</Version>" in sent()


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body>Service unavailable</body></html>",
        "OK",
        SUCCESS[:60],
        SUCCESS.replace("LMFN-543196", "LMFN-543197"),
        SUCCESS.replace("Success", "Perhaps"),
        SUCCESS.replace("<OrderId>", "<Error>but</Error><OrderId>"),
        "<OrderSubmitResponse/>",
        '<!DOCTYPE x [<!ENTITY a "Success">]><R><Status>&a;</Status></R>',
        '<?xml version="1.0"?><R>' + "x" * 1_100_000 + "</R>",
    ],
)
def test_answer_that_neither_accepts_nor_rejects_is_an_unknown_outcome(fcp: Fcp, body: str) -> None:
    answered(body)
    with pytest.raises(OutcomeUnknown) as caught:
        fcp.submit(ORDER)
    assert caught.value.exchange is not None
    assert TOKEN not in caught.value.exchange.request
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_success_with_an_error_status_is_an_unexpected_answer(fcp: Fcp, status: int) -> None:
    answered(SUCCESS, status=status)
    with pytest.raises(UnexpectedAnswer):
        fcp.submit(ORDER)


@responses.activate
@pytest.mark.parametrize("status", [200, 400, 409, 422])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invalid SKU: SHIRT-SMALL", Rejected),
        ("Unknown ShippingMethod USPS_MEDIA", Rejected),
        ("Shipping method not authorized for this account", Rejected),
        ("Invalid PostalCode", Rejected),
        ("SKU AUTH-MERCHANT-ID does not exist for MerchantId 816", Rejected),
        ("Duplicate SKU in ItemList", Rejected),
        ("Duplicate line item within the order", Rejected),
        ("The item is already discontinued", Rejected),
        ("Quantity exceeds stock", Rejected),
        ("", Rejected),
        ("Duplicate OrderNumber", Duplicate),
        ("Duplicate order number: LMFN-543196", Duplicate),
        ("Order LMFN-543196 already exists", Duplicate),
        ("Order number has already been used.", Duplicate),
        ("OrderNumber must be unique", Duplicate),
        ("An order with this number exists", Duplicate),
        ("order was ALREADY SUBMITTED", Duplicate),
        ("Duplicate OrderNumber LMFN-543196 for MerchantId 816", Duplicate),
        ("OrderNumber already exists for this merchant account", Duplicate),
        ("Merchant Id 816: duplicate order number", Duplicate),
        ("Order number LMFN-543196 is already taken", Duplicate),
        ("OrderNumber LMFN-543196 already registered", Duplicate),
        ("Order LMFN-543196 was previously submitted", Duplicate),
        ("There is already an order with number LMFN-543196", Duplicate),
        ("Order number is in use", Duplicate),
        ("The order has been received before", Duplicate),
        ("Order LMFN-543196 was submitted before", Duplicate),
        ("Order with same number found", Duplicate),
        ("The order contains an item that is already discontinued", Rejected),
        ("The order's service does not exist", Rejected),
        ("Order exceeds authorization limit", Rejected),
        ("Warehouse account is already over its credit limit", Rejected),
        ("No contract exists for your merchant", Rejected),
        ("No warehouse exists for this order", Rejected),
        ("Order refused: the merchant token has already expired", Unauthorized),
        ("The order could not be authorized", Rejected),
        ("Merchant account is already suspended", Unauthorized),
        ("Invalid MerchantToken", Unauthorized),
        ("Invalid Merchant Token", Unauthorized),
        ("merchant_id is unknown", Unauthorized),
        ("MerchantName does not match", Unauthorized),
        ("Authentication failed", Unauthorized),
        ("Authorisation refused", Unauthorized),
        ("Unauthorized", Unauthorized),
        ("Bad credentials. No items were imported.", Unauthorized),
        ("Access denied", Unauthorized),
    ],
)
def test_failure_is_classified_by_its_wording(fcp: Fcp, words: str, expected: type[ServiceError], status: int) -> None:
    failed(words, status=status)
    with pytest.raises(expected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is expected
    assert caught.value.words == words
    assert words in str(caught.value)


@responses.activate
@pytest.mark.parametrize(
    ("words", "is_certain"),
    [
        ("Duplicate OrderNumber", True),
        ("Order number has already been used.", True),
        ("Order LMFN-543196 already exists", True),
        ("Order LMFN-543196 was previously submitted", True),
        ("There is already an order with number LMFN-543196", True),
        ("Order not accepted: the requested ship date has already passed.", False),
        ("Order cannot be accepted: your account has previously been suspended", False),
    ],
)
def test_duplicate_is_certain_only_when_the_wording_is_clear(fcp: Fcp, words: str, *, is_certain: bool) -> None:
    failed(words)
    with pytest.raises(Duplicate) as caught:
        fcp.submit(ORDER)
    assert caught.value.is_certain is is_certain


@responses.activate
@pytest.mark.parametrize("sku", ["DUPLICATE-ORDER", "MERCHANT TOKEN", "CREDENTIALS", "ORDER-EXISTS"])
def test_our_own_skus_in_the_message_are_ignored(fcp: Fcp, sku: str) -> None:
    failed(f"Not in stock: {sku}")
    with pytest.raises(Rejected) as caught:
        fcp.submit(replace(ORDER, items=(FcpItem(sku, 1),)))
    assert type(caught.value) is Rejected


@responses.activate
def test_token_is_redacted_in_the_message(fcp: Fcp) -> None:
    failed("Invalid MerchantToken tok3n&lt;&amp;&gt;of-the-merchant")
    with pytest.raises(Unauthorized) as caught:
        fcp.submit(ORDER)
    assert caught.value.words == "Invalid MerchantToken •••"
    assert str(caught.value) == 'The warehouse rejected our credentials: "Invalid MerchantToken •••".'
    assert caught.value.exchange is not None
    assert "of-the-merchant" not in caught.value.exchange.answer + caught.value.exchange.request


@responses.activate
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Unauthorized),
        (403, Unauthorized),
        (404, UnexpectedAnswer),
        (405, UnexpectedAnswer),
        (302, UnexpectedAnswer),
        (429, Throttled),
        (500, OutcomeUnknown),
        (503, OutcomeUnknown),
    ],
)
def test_html_page_is_classified_by_its_status(fcp: Fcp, status: int, expected: type[ServiceError]) -> None:
    answered("<html><body><p>Sorry<br></body></html>", status=status)
    with pytest.raises(expected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is expected


@responses.activate
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invalid SKU: SHIRT-SMAL", OutcomeUnknown),
        ("Failed to send confirmation e-mail", OutcomeUnknown),
        ("Duplicate OrderNumber", Duplicate),
        ("Invalid MerchantToken", Unauthorized),
        ("Cannot open database requested by the login. The login failed.", OutcomeUnknown),
        ("Access denied to path", OutcomeUnknown),
        ("Out of memory", OutcomeUnknown),
        ("Timeout while saving", OutcomeUnknown),
    ],
)
def test_failure_in_a_server_error_proves_only_duplicates_and_credentials(
    fcp: Fcp, words: str, expected: type[ServiceError]
) -> None:
    failed(words, status=500)
    with pytest.raises(expected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is expected
    assert caught.value.words == words


@responses.activate
@pytest.mark.parametrize("path", ["status", "inventory"])
def test_server_error_can_reject_the_credentials(fcp: Fcp, path: str) -> None:
    failed("Invalid MerchantToken", path=path, status=500)
    with pytest.raises(Unauthorized):
        fcp.statuses(["LMFN-1"]) if path == "status" else fcp.verify()


@responses.activate
def test_server_error_keeps_the_warehouses_message(fcp: Fcp) -> None:
    failed("Database is down", status=500)
    with pytest.raises(OutcomeUnknown) as caught:
        fcp.submit(ORDER)
    assert caught.value.words == "Database is down"
