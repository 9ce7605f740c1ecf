"""Order numbers are the same in any case, and the status call has the address that the settings name."""

from __future__ import annotations

import pytest
import responses

from portal.clients.errors import Duplicate, UnexpectedAnswer
from portal.clients.failure_kinds import Kind, kind_of
from portal.clients.fcp import Credentials, Fcp, fcp_http
from portal.clients.fcp_documents import parse_answer, read_statuses
from tests.clients.fcp_stub import API, SUCCESS, TOKEN, answered, failed
from tests.clients.test_fcp import ORDER


def listed(*numbers: str) -> str:
    orders = "".join(
        f"<Order><OrderNumber>{number}</OrderNumber><OrderId>{position}</OrderId><OrderStatus>Pending</OrderStatus></Order>"
        for position, number in enumerate(numbers)
    )
    return f"<OrderStatusResponse><Status>Success</Status><Orders>{orders}</Orders></OrderStatusResponse>"


@responses.activate
@pytest.mark.parametrize("number", ["LMFN-543196", "lmfn-543196", " Lmfn-543196\n", "\u200bLMFN\u2011543196"])
def test_submission_is_accepted_whatever_the_case_of_the_number(fcp: Fcp, number: str) -> None:
    answered(SUCCESS.replace("LMFN-543196", number))
    assert fcp.submit(ORDER).order_id == "901234"


@responses.activate
@pytest.mark.parametrize("number", ["LMFN-543197", "LMFN543196", "LMFN-543196-T"])
def test_submission_with_another_number_is_unclear(fcp: Fcp, number: str) -> None:
    answered(SUCCESS.replace("LMFN-543196", number))
    with pytest.raises(UnexpectedAnswer):
        fcp.submit(ORDER)


def test_statuses_are_under_our_own_spelling() -> None:
    found = read_statuses(
        parse_answer(listed("lmfn-1", " BFFA-2 ", "Fern-3", "else-4").encode()), ["LMFN-1", "bffa-2", "FERN-3"]
    )
    assert {number: status.order_number for number, status in found.items()} == {
        "LMFN-1": "LMFN-1", "bffa-2": "bffa-2", "FERN-3": "FERN-3",
    }  # fmt: skip


def test_numbers_that_differ_only_in_case_are_told_apart() -> None:
    found = read_statuses(parse_answer(listed("lmfn-1", "LMFN-1", "Lmfn-1").encode()), ["LMFN-1", "lmfn-1"])
    assert {number: status.order_id for number, status in found.items()} == {"lmfn-1": "0", "LMFN-1": "1"}


@responses.activate
@pytest.mark.parametrize("words", ["Order lmfn-543196 already exists", "Duplicate order number: Lmfn-543196"])
def test_duplicate_is_recognized_whatever_the_case_of_the_number(fcp: Fcp, words: str) -> None:
    failed(words)
    with pytest.raises(Duplicate):
        fcp.submit(ORDER)


def test_our_number_is_no_part_of_the_message_whatever_its_case() -> None:
    assert kind_of("Order busy-503 was not accepted", ("BUSY-503",)) is Kind.REQUEST


@responses.activate
@pytest.mark.parametrize("path", ["orders", "status", "orderstatus"])
def test_statuses_are_asked_at_the_path_of_the_settings(path: str) -> None:
    credentials = Credentials("816", "Example Shop", TOKEN)
    fcp = Fcp(fcp_http(credentials), api_url=API, credentials=credentials, status_path=path)
    answered(listed("LMFN-1"), path=path)
    assert list(fcp.statuses(["LMFN-1"])) == ["LMFN-1"]
