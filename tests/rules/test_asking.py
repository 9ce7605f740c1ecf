"""How often the warehouse is asked about an order of some age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.asking import intervals, is_to_be_asked

SENT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
OFTEN = timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def calls(first: timedelta, length: timedelta, often: timedelta = OFTEN) -> int:
    """Return how often an order is asked in runs five minutes apart, from this age on."""
    times = [SENT + first + often * n for n in range(length // often + 1)]
    return sum(is_to_be_asked(SENT, last, now, often) for last, now in pairwise(times))


@pytest.mark.parametrize(
    ("age", "a_day"),
    [
        (timedelta(), 288),
        (2 * DAY, 288),
        (4 * DAY, 24),
        (12 * DAY, 24),
        (15 * DAY, 4),
        (700 * DAY, 4),
    ],
)
def test_order_is_asked_less_often_as_it_grows_old(age: timedelta, a_day: int) -> None:
    assert calls(age, DAY) == a_day


def test_interval_of_the_setting_is_never_undercut() -> None:
    assert calls(20 * DAY, 2 * DAY, often=12 * HOUR) == 4
    assert all(every >= 2 * HOUR for _, every in intervals(2 * HOUR))


def test_first_run_asks_about_every_order() -> None:
    assert is_to_be_asked(SENT, None, SENT + 400 * DAY, OFTEN)


def test_clock_that_was_set_back_asks_about_a_new_order() -> None:
    assert is_to_be_asked(SENT, SENT - HOUR, SENT - timedelta(minutes=1), OFTEN)


@given(
    age=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=4000)),
    gap=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=40)),
)
def test_order_is_never_left_out_for_longer_than_its_interval(age: timedelta, gap: timedelta) -> None:
    """So a merchant is due exactly when the interval of some order has passed: the tick asks only for that."""
    every = next(every for until, every in intervals(OFTEN) if age <= until)
    now = SENT + age
    if gap >= every:
        assert is_to_be_asked(SENT, now - gap, now, OFTEN)
