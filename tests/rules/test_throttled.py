"""When a service that asks us to send less is called again: as it asks, but not forever as soon as it asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.rules.backoff import throttled

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = 86_400.0


@pytest.mark.parametrize("failures", [1, 2, 3])
@pytest.mark.parametrize("asked", [0.0, 0.5, 59.0, 3600.0, DAY])
def test_three_times_in_a_row_its_wish_is_kept_to_the_second(failures: int, asked: float) -> None:
    assert throttled(failures, asked, NOW) == NOW + timedelta(seconds=asked)


@pytest.mark.parametrize(
    ("failures", "asked", "seconds"),
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
def test_from_the_fourth_on_the_steps_are_the_least(failures: int, asked: float, seconds: float) -> None:
    assert throttled(failures, asked, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 60), (50, 60)])
def test_without_a_wish_the_steps_decide(failures: int, minutes: int) -> None:
    assert throttled(failures, None, NOW) == NOW + timedelta(minutes=minutes)
