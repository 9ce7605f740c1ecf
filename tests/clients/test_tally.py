"""The count of calls: each call to a service once, by how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from portal.clients.errors import (
    Busy,
    Duplicate,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.clients.tally import Called, Tally, calls
from tests.clients.fcp_stub import answered

if TYPE_CHECKING:
    from portal.clients.fcp import Fcp

FAILED = "<OrderStatusResponse><Status>Failed</Status><Error>Order not found: {}</Error></OrderStatusResponse>"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotSent, "not_sent"),
        (Throttled, "throttled"),
        (Rejected, "rejected"),
        (Duplicate, "rejected"),
        (NotFound, "rejected"),
        (Unauthorized, "unauthorized"),
        (OutcomeUnknown, "unknown"),
        (UnexpectedAnswer, "unknown"),
        (Busy, "unknown"),
    ],
)
def test_call_that_fails_is_counted_by_how_it_ended(error: type[ServiceError], outcome: str) -> None:
    tally = Tally()
    with pytest.raises(error), tally.count("fcp", "submit"):
        raise error("It failed.", service="the warehouse")
    ((called, (number, seconds)),) = tally.take().items()
    assert (called, number) == (Called("fcp", "submit", outcome), 1)
    assert seconds >= 0
    assert tally.take() == {}


def test_calls_of_one_kind_are_counted_together() -> None:
    tally = Tally()
    for _ in range(2):
        with tally.count("bigcartel", "orders"):
            pass
    assert [number for number, _ in tally.take().values()] == [2]


@responses.activate
def test_list_of_statuses_that_is_split_counts_every_call(fcp: Fcp) -> None:
    calls.take()
    for number in ("A-1", "A-1", "B-2"):
        answered(FAILED.format(number), path="status")
    fcp.statuses(["A-1", "B-2"])
    assert {called: number for called, (number, _) in calls.take().items()} == {Called("fcp", "status", "ok"): 3}
