"""The FCP's status and inventory calls: the status of orders, and the check of a merchant's credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import responses

from portal.clients.errors import (
    Busy,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.clients.fcp import Credentials, Fcp, fcp_http
from tests.clients.conftest import payload_bytes
from tests.clients.fcp_stub import API, SUCCESS, TOKEN, answered, failed, sent

if TYPE_CHECKING:
    from requests import PreparedRequest

STATUSES = (
    "<OrderStatusResponse{}><Status>Success</Status><Orders>"
    "<Order><OrderNumber>A-1</OrderNumber><OrderId>1</OrderId><OrderStatus>Completed</OrderStatus></Order>"
    "<Order><OrderNumber>B-2</OrderNumber><OrderId>2</OrderId><OrderStatus>Pending</OrderStatus></Order>"
    "<Order><OrderNumber>Z-9</OrderNumber><OrderId>9</OrderId><OrderStatus>Pending</OrderStatus></Order>"
    "</Orders></OrderStatusResponse>"
)


@responses.activate
@pytest.mark.parametrize("namespace", ["", ' xmlns="https://fcp.efulfillmentservice.com/xml/status"'])
def test_statuses_of_several_orders_are_read(fcp: Fcp, namespace: str) -> None:
    answered(STATUSES.format(namespace), path="status")
    statuses = fcp.statuses(["A-1", "B-2", "C-3"])
    assert {number: status.is_shipped for number, status in statuses.items()} == {"A-1": True, "B-2": False}


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "<OrderStatusResponse><Orders/></OrderStatusResponse>",
        "<OrderStatusResponse><Status>Success</Status></OrderStatusResponse>",
        "<Answer><Status>Success</Status><Orders/></Answer>",
    ],
)
def test_orders_unknown_to_the_fcp_are_left_out(fcp: Fcp, body: str) -> None:
    answered(body, path="status")
    assert fcp.statuses(["A-1"]) == {}


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html/>",
        "<OrderStatusResponse/>",
        "<OrderStatusResponse><Status>Busy</Status><Orders/></OrderStatusResponse>",
        SUCCESS,
        "<OrderStatusRequest><Orders><Order><OrderNumber>A-1</OrderNumber></Order></Orders></OrderStatusRequest>",
        STATUSES.format("")[:-60],
    ],
)
def test_answer_that_is_not_a_status_list_is_an_unknown_outcome(fcp: Fcp, body: str) -> None:
    answered(body, path="status")
    with pytest.raises(OutcomeUnknown) as caught:
        fcp.statuses(["A-1"])
    assert caught.value.exchange is not None


@responses.activate
def test_missing_status_call_is_not_found(fcp: Fcp) -> None:
    answered("<html><p>Not found</html>", path="status", status=404)
    with pytest.raises(NotFound):
        fcp.statuses(["A-1"])


@responses.activate
@pytest.mark.parametrize(
    ("words", "expected"), [("Invalid MerchantToken", Unauthorized), ("Try later", Busy), ("No", Rejected)]
)
def test_failure_of_the_status_call_is_classified_by_its_wording(
    fcp: Fcp, words: str, expected: type[ServiceError]
) -> None:
    failed(words, path="status")
    with pytest.raises(expected):
        fcp.statuses(["A-1"])


@responses.activate
def test_status_call_takes_at_most_100_numbers(fcp: Fcp) -> None:
    answered("<OrderStatusResponse><Status>Success</Status><Orders/></OrderStatusResponse>", path="status")
    numbers = [f"A-{number}" for number in range(101)]
    assert fcp.statuses(numbers[:100]) == {}
    with pytest.raises(ValueError, match="100"):
        fcp.statuses(numbers)
    assert fcp.statuses([]) == {}
    assert len(responses.calls) == 1


INVENTORY = (
    payload_bytes("fcp_inventory_response_PARTIAL").decode().split("      [stored")[0] + "</Items></InventoryResponse>"
)


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        INVENTORY,
        "<InventoryResponse><Status>Success</Status></InventoryResponse>",
        "<InventoryResponse><Status>Failure</Status><Error>Invalid SKU: CREDENTIALS-CHECK</Error></InventoryResponse>",
    ],
)
def test_credentials_are_accepted(fcp: Fcp, body: str) -> None:
    answered(body, path="inventory")
    fcp.verify()
    assert b"<MerchantId>816</MerchantId>" in sent()
    assert b"MerchantName" not in sent()


@responses.activate
@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (
            "<InventoryResponse><Status>Failure</Status><Error>Invalid MerchantToken</Error></InventoryResponse>",
            200,
            Unauthorized,
        ),
        ("<InventoryResponse><Error>Authentication failed</Error></InventoryResponse>", 200, Unauthorized),
        ("<InventoryResponse><Error>Authentication failed</Error></InventoryResponse>", 400, Unauthorized),
        ("no", 401, Unauthorized),
        ("<InventoryResponse><Status>Failure</Status><Error>Closed today</Error></InventoryResponse>", 200, Rejected),
        ("<InventoryResponse><Status>Failure</Status></InventoryResponse>", 200, Rejected),
        (INVENTORY.replace("816", "817"), 200, UnexpectedAnswer),
        ("<html/>", 200, UnexpectedAnswer),
        (INVENTORY, 404, UnexpectedAnswer),
        ("", 500, OutcomeUnknown),
    ],
)
def test_credentials_are_rejected_or_unproven(fcp: Fcp, body: str, status: int, expected: type[ServiceError]) -> None:
    answered(body, path="inventory", status=status)
    with pytest.raises(expected) as caught:
        fcp.verify()
    assert type(caught.value) is expected


def test_token_is_not_in_the_repr() -> None:
    credentials = Credentials("816", "Example Shop", TOKEN)
    assert TOKEN not in repr(credentials)
    assert fcp_http(credentials).service == "the warehouse"


@responses.activate
def test_unknown_number_that_fails_the_whole_call_is_isolated_by_splitting_it(fcp: Fcp) -> None:
    """An FCP might fail the whole call over one unknown number; the other statuses are still found."""
    known = [f"A-{number}" for number in range(20)]

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        requested = re.findall("<OrderNumber>(.*?)</OrderNumber>", str(request.body, "utf-8"))  # type: ignore[arg-type]
        if not set(requested) <= set(known):
            return 200, {}, "<R><Status>Failure</Status><Error>Order not found</Error></R>"
        orders = "".join(
            f"<Order><OrderNumber>{one}</OrderNumber><OrderStatus>Pending</OrderStatus></Order>" for one in requested
        )
        return 200, {}, f"<OrderStatusResponse><Status>Success</Status><Orders>{orders}</Orders></OrderStatusResponse>"

    responses.add_callback("POST", f"{API}/status/", answer, content_type="text/xml")
    assert fcp.statuses([*known[:7], "B-1", *known[7:]]).keys() == set(known)
    assert len(responses.calls) <= 11
    assert fcp.statuses(["B-1"]) == {}


@responses.activate
def test_status_call_is_not_split_if_the_credentials_are_rejected(fcp: Fcp) -> None:
    failed("Unknown MerchantId", path="status")
    with pytest.raises(Unauthorized):
        fcp.statuses(["A-1", "B-2"])
