"""Several entries for one order number in one status answer are combined, whatever their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.errors import Busy, UnexpectedAnswer
from portal.clients.fcp_documents import parse_answer, read_statuses
from portal.clients.fcp_parts import combined
from portal.clients.fcp_types import OrderStatus
from tests.clients.conftest import payload_bytes
from tests.clients.fcp_stub import TOKEN, answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.clients.fcp import Fcp

SPLIT = payload_bytes("fcp_status_response_split")
NOT_FOUND = "<OrderStatus>Not Found</OrderStatus>"


def entry(
    status: str = "", *tracking: str, order_id: str = "901234", carrier: str = "", shipped: date | None = None
) -> str:
    """Return the inside of one entry, without its number."""
    texts = {"OrderId": order_id, "OrderStatus": status, "Carrier": carrier, "ShipDate": shipped and str(shipped)}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in texts.items() if text)
    numbers = "".join(f"<TrackingNumber>{escape(number)}</TrackingNumber>" for number in tracking)
    return f"{inner}<TrackingNumbers>{numbers}</TrackingNumbers>"


def answer(entries: Sequence[str]) -> str:
    orders = "".join(f"<Order><OrderNumber>A-1</OrderNumber>{one}</Order>" for one in entries)
    return f"<OrderStatusResponse><Status>Success</Status><Orders>{orders}</Orders></OrderStatusResponse>"


def read(*entries: str) -> OrderStatus | None:
    return read_statuses(parse_answer(answer(entries).encode()), ["A-1"]).get("A-1")


def test_split_shipments_of_a_whole_answer() -> None:
    statuses = read_statuses(parse_answer(SPLIT), ["LMFN-543196", "BFFA-096059", "FERN-000777"])
    assert statuses == {
        "LMFN-543196": OrderStatus(
            "LMFN-543196",
            "901234, 901235",
            "Back Order",
            date(2026, 11, 20),
            "USPS",
            ("9400111899000000901234",),
        ),
        "BFFA-096059": OrderStatus(
            "BFFA-096059",
            "901240, 901242",
            "Completed",
            date(2026, 11, 23),
            "UPS, USPS",
            ("9400111899000000901240", "9400111899000000901241", "1Z999AA10000901242"),
        ),
    }
    assert [one.is_shipped for one in statuses.values()] == [False, True]
    assert "901240" in statuses["BFFA-096059"].raw
    assert "901242" in statuses["BFFA-096059"].raw
    assert "901234" not in statuses["BFFA-096059"].raw


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["Completed", "Completed"], "Completed"),
        (["Completed", "Shipped"], "Completed"),
        (["Completed", "Pending"], "Pending"),
        (["Completed", "Cancelled"], "Completed"),
        (["Cancelled", "Shipped", "Canceled"], "Shipped"),
        (["Cancelled", "Canceled"], "Canceled"),
        (["Cancelled", "In Process"], "In Process"),
        (["Completed", "Cancelled", "Pending"], "Pending"),
        (["In Process", "Pending"], "Pending"),
        (["Pending", "BACK-ORDER"], "BACK-ORDER"),
        (["Back Order", "On Hold"], "On Hold"),
        (["Gift-wrapping", "In Process"], "In Process"),
        (["Gift-wrapping", "Completed"], "Gift-wrapping"),
        (["", "Gift-wrapping"], "Gift-wrapping"),
        (["", "Completed"], ""),
        (["completed", "COMPLETED"], "COMPLETED"),
    ],
)
def test_status_is_that_of_the_least_advanced_open_part(words: list[str], status: str, *, is_reversed: bool) -> None:
    entries = [entry(word) for word in words]
    found = read(*(reversed(entries) if is_reversed else entries))
    assert found is not None
    assert found.status == status


def test_same_entry_twice_is_one() -> None:
    one = entry("Completed", "9400", carrier="USPS", shipped=date(2026, 11, 20))
    assert read(one, one) == read(one)


@pytest.mark.parametrize("unknown", [NOT_FOUND, "<Error>No such order</Error>"])
def test_unknown_entry_beside_a_known_one_is_ignored(unknown: str) -> None:
    known = entry("Completed", "9400")
    assert read(unknown, known) == read(known, unknown) == read(known)
    assert read(unknown, unknown) is None


def test_number_of_a_cancelled_part_is_kept() -> None:
    parts = entry("Cancelled", "9400", carrier="usps"), entry("Completed", "1Z", "9400", carrier="USPS")
    found = read(*parts)
    assert found is not None
    assert (found.is_shipped, found.tracking_numbers, found.carrier) == (True, ("9400", "1Z"), "USPS")


@pytest.mark.parametrize("is_first", [False, True])
def test_part_without_status_and_id_is_an_unexpected_answer(*, is_first: bool) -> None:
    entries = [entry("Completed"), "<Carrier>USPS</Carrier>"]
    with pytest.raises(UnexpectedAnswer):
        read(*(reversed(entries) if is_first else entries))


def test_status_without_an_id_counts_whatever_else_the_entry_says() -> None:
    found = read("<OrderStatus>Pending</OrderStatus><Item><Description>Unknown Pleasures tee</Description></Item>")
    assert found is not None
    assert found.status == "Pending"


@responses.activate
@pytest.mark.parametrize("inner", ["", "<OrderStatus>Error</OrderStatus>"])
def test_entry_that_could_not_be_looked_up_is_busy(fcp: Fcp, inner: str) -> None:
    """Left out, the order would count as not there and be sent again."""
    token = escape(TOKEN)
    answered(answer([f"{inner}<Error>Record is locked, try again ({token})</Error>"]), path="status")
    with pytest.raises(Busy) as caught:
        fcp.statuses(["A-1"])
    assert caught.value.words == "Record is locked, try again (•••)"
    assert TOKEN not in str(caught.value)
    assert caught.value.exchange is not None


PARTS = st.builds(
    OrderStatus,
    order_number=st.just("A-1"),
    order_id=st.sampled_from(["", "901234", "901235", "77"]),
    status=st.sampled_from(
        [
            "",
            "Completed",
            "completed",
            "Shipped",
            "Cancelled",
            "canceled",
            "Pending",
            "On Hold",
            "Back Order",
            "Sorting",
        ]
    ),
    ship_date=st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 1)),
    carrier=st.sampled_from(["", "USPS", "usps", "UPS", "FedEx"]),
    tracking_numbers=st.lists(st.sampled_from(["9400", "9401", "1Z", "77"]), max_size=3, unique=True).map(tuple),
)


@given(st.lists(PARTS, min_size=1, max_size=5).flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
def test_order_of_the_parts_does_not_matter(both: tuple[list[OrderStatus], list[OrderStatus]]) -> None:
    one, other = map(combined, both)
    assert replace(one, tracking_numbers=()) == replace(other, tracking_numbers=())
    assert sorted(one.tracking_numbers) == sorted(other.tracking_numbers)


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_combined_parts_are_shipped_and_cancelled_as_a_whole(parts: list[OrderStatus]) -> None:
    whole = combined(parts)
    remaining = [part for part in parts if not part.is_cancelled]
    assert whole.is_cancelled is (not remaining)
    assert whole.is_shipped is (bool(remaining) and all(part.is_shipped for part in remaining))
    assert set(whole.tracking_numbers) == {number for part in parts for number in part.tracking_numbers}
    assert len(set(whole.tracking_numbers)) == len(whole.tracking_numbers)
