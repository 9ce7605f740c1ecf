"""Retry-After at its limits: a call waits up to five seconds itself; callers get zero to one day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from portal.clients.errors import ServiceError, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http

URL = "https://store.example.com/orders/"
NOW = 1_795_460_400.0  # Mon, 23 Nov 2026 19:00:00 GMT
IN_FIVE_SECONDS = "Mon, 23 Nov 2026 19:00:05 GMT"
A_DAY_LATER = "Tue, 24 Nov 2026 19:00:00 GMT"
DAY = 86_400.0


@responses.activate
@pytest.mark.parametrize(
    ("header", "now", "waits"),
    [
        ("4", NOW, [4.0, 4.0]),
        ("5", NOW, [5.0, 5.0]),
        ("6", NOW, []),
        ("0", NOW, [0.0, 0.0]),
        (IN_FIVE_SECONDS, NOW, [5.0, 5.0]),
        (IN_FIVE_SECONDS, NOW - 0.001, []),
        (IN_FIVE_SECONDS, NOW + 0.25, [4.75, 4.75]),
        (IN_FIVE_SECONDS, NOW + 5, [0.0, 0.0]),
        (IN_FIVE_SECONDS, NOW + DAY, [0.0, 0.0]),
        ("9" * 40, NOW, []),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_get_waits_up_to_five_seconds_and_leaves_longer_waits_to_the_caller(
    make_http: Callable[..., Http], pauses: list[float], header: str, now: float, waits: list[float], status: int
) -> None:
    responses.add("GET", URL, status=status, headers={"Retry-After": header})
    with pytest.raises(ServiceError):
        make_http(now=lambda: now).call("GET", URL)
    assert pauses == waits
    assert len(responses.calls) == len(waits) + 1


@responses.activate
@pytest.mark.parametrize(
    ("header", "now", "seconds"),
    [
        ("86399", NOW, DAY - 1),
        ("86400", NOW, DAY),
        ("86401", NOW, DAY),
        ("9" * 400, NOW, DAY),
        ("000007", NOW, 7.0),
        (A_DAY_LATER, NOW, DAY),
        (A_DAY_LATER, NOW + 1, DAY - 1),
        (A_DAY_LATER, NOW - 1, DAY),
        (A_DAY_LATER, NOW + DAY, 0.0),
        (A_DAY_LATER, NOW + DAY + 1, 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", NOW, 0.0),
        ("Mon, 01 Jan 0001 00:00:00 GMT", NOW, 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", NOW, DAY),
        ("-0", NOW, None),
        ("-1", NOW, None),
        ("+5", NOW, None),
        ("1e9", NOW, None),
        ("inf", NOW, None),
        ("nan", NOW, None),
        ("\u0665", NOW, None),
        ("Mon, 99 Nov 2026 19:00:00 GMT", NOW, None),
        ("Mon, 23 Nov 99999999 19:00:00 GMT", NOW, None),
    ],
)
def test_retry_after_is_limited_to_between_zero_and_one_day(
    make_http: Callable[..., Http], header: str, now: float, seconds: float | None
) -> None:
    responses.add("POST", URL, status=429, headers={"Retry-After": header})
    with pytest.raises(Throttled) as caught:
        make_http(now=lambda: now).call("POST", URL, data=b"x")
    assert caught.value.retry_after == seconds
    assert len(responses.calls) == 1
