"""Rate limiting: Retry-After is honored at first, then our own backoff sets a floor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.rules.backoff import throttled

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = 86_400.0


@pytest.mark.parametrize("failures", [1, 2, 3])
@pytest.mark.parametrize("retry_after", [0.0, 0.5, 59.0, 3600.0, DAY])
def test_first_three_retry_after_values_are_honored_exactly(failures: int, retry_after: float) -> None:
    assert throttled(failures, retry_after, NOW) == NOW + timedelta(seconds=retry_after)


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [
        (4, 0.0, 60.0),
        (4, 59.0, 60.0),
        (4, 60.0, 60.0),
        (4, 61.0, 61.0),
        (5, 0.0, 300.0),
        (6, 0.0, 900.0),
        (7, 0.0, 3600.0),
        (50, 0.0, 3600.0),
        (50, 3601.0, 3601.0),
        (50, DAY, DAY),
    ],
)
def test_from_the_fourth_on_our_backoff_is_the_minimum(failures: int, retry_after: float, seconds: float) -> None:
    assert throttled(failures, retry_after, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 60), (50, 60)])
def test_without_retry_after_our_backoff_applies(failures: int, minutes: int) -> None:
    assert throttled(failures, None, NOW) == NOW + timedelta(minutes=minutes)
