"""A temporary failure is never taken for a rejection of the order or of the credentials."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import responses

from portal.clients.bigcartel import BigCartel
from portal.clients.errors import (
    Busy,
    Cause,
    Duplicate,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
)
from portal.clients.fcp import Fcp, FcpAddress, FcpItem, OrderRequest
from tests.clients.fcp_stub import TOKEN, answered, failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http

ORDER = OrderRequest(
    order_number="LMFN-543196",
    shipping_method="USPS_MEDIA",
    address=FcpAddress(first_name="Joe", last_name="Somebody", address1="1 Deadlock Lane", country="US"),
    items=(FcpItem("LOCK-01", 2),),
)
PASSING = [
    "System under maintenance",
    "Server busy, try again later",
    "Too many requests",
    "Deadlock found when trying to get lock",
    "Timeout expired",
    "Internal error",
    "login service unavailable",
    "authentication server timed out, try again",
]
CALLS = [
    (path, status)
    for path in ("orders", "status", "inventory")
    for status in (200, 400, 401, 403, 404, 409, 422, 423)
    if (path, status) != ("status", 404)  # says that there is no status call
]
BIG_CARTEL = "https://api.bigcartel.com/v1"


def call(fcp: Fcp, path: str) -> None:
    match path:
        case "orders":
            fcp.submit(ORDER)
        case "status":
            fcp.statuses(["LMFN-543196", "LMFN-2"])
        case _:
            fcp.verify()


@responses.activate
@pytest.mark.parametrize(("path", "status"), CALLS)
@pytest.mark.parametrize("words", PASSING)
def test_passing_failure_of_any_call_is_busy(fcp: Fcp, words: str, path: str, status: int) -> None:
    failed(words, path=path, status=status)
    with pytest.raises(Busy) as caught:
        call(fcp, path)
    assert caught.value.words == words
    assert str(caught.value) == f'The warehouse couldn\'t process the request just now: "{words}".'
    assert caught.value.cause is Cause.HOST
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    ("status", "expected"), [(429, Throttled), (408, OutcomeUnknown), (500, OutcomeUnknown), (503, OutcomeUnknown)]
)
@pytest.mark.parametrize("words", PASSING)
def test_decisive_status_decides_whatever_the_words(
    fcp: Fcp, words: str, status: int, expected: type[ServiceError]
) -> None:
    failed(words, status=status)
    with pytest.raises(expected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is expected


@responses.activate
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("SKU LOCK-01 not found", Rejected),
        ("LOCK-01 is on lock", Rejected),
        ("Cannot ship to 1 Deadlock Lane", Rejected),
        ("Item temporarily unavailable", Rejected),
        ("Invalid address: try again", Rejected),
        ("Order is on hold", Rejected),
        ("Merchant account on credit hold", Unauthorized),
        ("Invalid token: session expired, please log in again and try again", Unauthorized),
        ("Duplicate order number; service busy", Duplicate),
    ],
)
def test_lasting_failure_is_not_busy(fcp: Fcp, words: str, expected: type[ServiceError]) -> None:
    failed(words)
    with pytest.raises(expected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is expected


@responses.activate
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("MerchantToken could not be checked: database timeout", OutcomeUnknown),
        ("SKU X-1 unknown for MerchantId 816", Rejected),
    ],
)
def test_server_error_about_the_credentials(fcp: Fcp, words: str, expected: type[ServiceError]) -> None:
    failed(words, status=500)
    with pytest.raises(expected) as caught:
        fcp.submit(ORDER)
    assert type(caught.value) is expected


@responses.activate
def test_unknown_order_number_is_not_found_even_if_it_says_try_again(fcp: Fcp) -> None:
    failed("Order not found, please try again later", path="status")
    assert fcp.statuses(["LMFN-1"]) == {}


@responses.activate
def test_inventory_of_the_probe_sku_cannot_be_looked_up(fcp: Fcp) -> None:
    """The message mentions a SKU, but the FCP didn't get as far as the credentials."""
    failed("SKU lookup service unavailable", path="inventory")
    with pytest.raises(Busy):
        fcp.verify()


@responses.activate
def test_words_in_several_elements_are_read_together(fcp: Fcp) -> None:
    answered(
        "<R><Status>Failure</Status><Error><Code>1205</Code></Error>"
        "<Description>Lock wait timeout exceeded; try restarting transaction</Description></R>"
    )
    with pytest.raises(Busy) as caught:
        fcp.submit(ORDER)
    assert caught.value.exchange is not None
    assert TOKEN not in caught.value.exchange.request


@responses.activate
@pytest.mark.parametrize(
    ("status", "title", "detail", "expected"),
    [
        (400, "Bad Request", "Rate limit exceeded", Busy),
        (409, "Conflict", "The record is locked, please try again", Busy),
        (422, "Unprocessable", "Service temporarily unavailable", Busy),
        (423, "Locked", "", Busy),
        (425, "Too Early", "", Busy),
        (409, "Conflict", "The type doesn't match", Rejected),
        (422, "Invalid attribute", "shipping_status can't be changed, try again", Rejected),
        (400, "Bad Request", "Sort isn't supported", Rejected),
    ],
)
def test_passing_failure_of_big_cartel_is_busy(
    make_http: Callable[..., Http], status: int, title: str, detail: str, expected: type[ServiceError]
) -> None:
    body = json.dumps({"errors": [{"title": title, "detail": detail}]})
    responses.add("PATCH", f"{BIG_CARTEL}/accounts/1/orders/A-1", body=body, status=status)
    client = BigCartel(make_http(service="Big Cartel"), api_url=BIG_CARTEL, account_id="1", token="store-token")
    with pytest.raises(expected) as caught:
        client.mark_shipped("A-1")
    assert type(caught.value) is expected
    assert f"(HTTP {status})" in str(caught.value)
