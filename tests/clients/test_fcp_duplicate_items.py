"""A rejection about a duplicate item, or an order that doesn't exist, doesn't prove that the FCP has the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from portal.clients.errors import Duplicate, OutcomeUnknown, Rejected
from portal.clients.fcp import FcpAddress, FcpItem, OrderRequest
from tests.clients.fcp_stub import failed

if TYPE_CHECKING:
    from portal.clients.fcp import Fcp

ORDER = OrderRequest(
    order_number="LMFN-543196",
    shipping_method="USPS_MEDIA",
    address=FcpAddress(first_name="Joe", last_name="Somebody", address1="123 some street", country="US"),
    items=(FcpItem("SHIRT-SMALL", 2), FcpItem("SHIRT-SMALL", 1)),
)
DUPLICATE_ITEMS = [
    "Duplicate item in order",
    "Duplicate items in order LMFN-543196",
    "Duplicated SKU in order",
    "DUPLICATE SKU SHIRT-SMALL: order not accepted",
    "Duplicate product: order refused",
    "Duplicate line in order LMFN-543196",
    "Duplicate line item; order not imported",
    "Order not accepted. Duplicate item in order.",
]


@responses.activate
@pytest.mark.parametrize("words", [*DUPLICATE_ITEMS, "Order number LMFN-543196 does not exist"])
def test_duplicate_item_is_a_plain_rejection(fcp: Fcp, words: str) -> None:
    failed(words)
    with pytest.raises(Rejected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is Rejected
    assert caught.value.words == words


@responses.activate
@pytest.mark.parametrize("words", DUPLICATE_ITEMS)
def test_duplicate_item_in_a_server_error_is_an_unknown_outcome(fcp: Fcp, words: str) -> None:
    failed(words, status=500)
    with pytest.raises(OutcomeUnknown):
        fcp.submit(ORDER)


@responses.activate
def test_duplicate_item_does_not_hide_a_duplicate_order_number(fcp: Fcp) -> None:
    failed("Duplicate item in order. Order number LMFN-543196 already exists.")
    with pytest.raises(Duplicate) as caught:
        fcp.submit(ORDER)
    assert caught.value.is_certain
