"""Backoff: retries at once, after 1, 5, 15 and 60 minutes, then hourly, for 72 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.backoff import next_check, next_try

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTES = [(1, 0), (2, 1), (3, 5), (4, 15), (5, 60), (6, 60), (50, 60)]


@pytest.mark.parametrize(("failures", "minutes"), MINUTES)
def test_waits_grow_up_to_an_hour(failures: int, minutes: int) -> None:
    assert next_try(failures, NOW - timedelta(hours=1), NOW) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("since_first_failure", "retries"),
    [
        (timedelta(), True),
        (timedelta(hours=72) - timedelta(seconds=1), True),
        (timedelta(hours=72), False),
        (timedelta(days=30), False),
    ],
)
def test_retries_stop_after_72_hours(since_first_failure: timedelta, retries: bool) -> None:
    assert (next_try(9, NOW - since_first_failure, NOW) is not None) == retries


def test_giving_up_takes_about_77_tries() -> None:
    now, tries = NOW, 0
    while (when := next_try(tries + 1, NOW, now)) is not None:
        now, tries = when, tries + 1
    assert now - NOW >= timedelta(hours=72)
    assert 70 <= tries <= 80


@given(st.integers(min_value=-3, max_value=10**6), st.integers(min_value=0, max_value=10**7))
def test_next_try_is_at_most_one_hour_away(failures: int, seconds: int) -> None:
    when = next_try(failures, NOW - timedelta(seconds=seconds), NOW)
    assert when is None or timedelta() <= when - NOW <= timedelta(hours=1)
    assert (when == NOW) == (when is not None and failures <= 1)


@pytest.mark.parametrize(("waited", "wait"), [(-5, 30), (0, 30), (60, 30), (240, 60), (1_200, 300), (10**6, 300)])
def test_open_questions_are_asked_again_after_a_quarter_of_the_time_so_far(waited: int, wait: int) -> None:
    assert next_check(NOW - timedelta(seconds=waited), NOW) == NOW + timedelta(seconds=wait)
