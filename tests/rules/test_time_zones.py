"""Time zones as Big Cartel may spell them, and the days in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.time_zones import UTC_ZONE, _identifiers, _rails, find_zone, zone_named

HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)
NAMES = sorted({name for name, _ in _rails().values()} | set(_identifiers().values()))


@pytest.mark.parametrize(
    ("name", "title", "offset"),
    [
        ("Eastern Time (US & Canada)", "Eastern Time (US & Canada)", -5),
        ("eastern time (us & canada)", "Eastern Time (US & Canada)", -5),
        ("  Eastern  Time (US & Canada)\n", "Eastern Time (US & Canada)", -5),
        ("(GMT-05:00) Eastern Time (US & Canada)", "Eastern Time (US & Canada)", -5),
        ("(UTC+00:00) London", "London time", 0),
        ("Kyiv", "Kyiv time", 2),
        ("Indiana (East)", "Indiana (East) time", -5),
        ("America/New_York", "New York time", -5),
        ("america/new_york", "New York time", -5),
        ("America/New York", "New York time", -5),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time", -3),
        ("Europe/Kyiv", "Kyiv time", 2),
        ("US/Pacific", "Pacific time", -8),
        ("EST", "EST", -5),
        ("Etc/GMT+5", "Etc/GMT+5 time", -5),
        ("UTC", "UTC", 0),
        ("(GMT+00:00) UTC", "UTC", 0),
        ("Etc/UTC", "UTC", 0),
    ],
)
def test_both_spellings_are_read(name: str, title: str, offset: int) -> None:
    zone = find_zone(name)
    assert zone is not None
    assert zone.title == title
    assert datetime(2026, 1, 15, tzinfo=UTC).astimezone(zone.info).utcoffset() == offset * HOUR


@pytest.mark.parametrize(
    "name",
    ["", " ", "Nowhere", "America", "../../etc/passwd", "localtime", "Factory", "(GMT-05:00)", "\0", "-5", "x" * 9999],
)
def test_unknown_zone_is_utc(name: str) -> None:
    assert find_zone(name) is None
    assert zone_named(name) == UTC_ZONE


@given(st.text(max_size=80))
def test_any_name_is_read_or_utc(name: str) -> None:
    assert zone_named(name).title


@pytest.mark.parametrize("name", NAMES)
def test_every_zone_of_the_tables_exists(name: str) -> None:
    zone = find_zone(name)
    assert zone is not None
    assert zone is not UTC_ZONE or "UTC" in name or name.rpartition("/")[2] in {"UCT", "Universal", "Zulu"}


@pytest.mark.parametrize(
    ("name", "day", "start", "hours"),
    [
        ("America/New_York", date(2026, 1, 15), "2026-01-15T05:00", 24),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00", 23),
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", 25),
        # Clocks go from 24:00 to 1:00, so the day starts at 1:00.
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00", 23),
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00", 23),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00", 23),
        # Clocks go from 1:00 to 0:00, so midnight comes twice.
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", 25),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00", 0),
        ("Asia/Kolkata", date(2026, 1, 15), "2026-01-14T18:30", 24),
        ("UTC", date(2026, 1, 15), "2026-01-15T00:00", 24),
    ],
)
def test_days_start_at_the_first_moment_of_the_local_date(name: str, day: date, start: str, hours: int) -> None:
    zone = zone_named(name)
    assert zone.start_of(day).isoformat(timespec="minutes") == f"{start}+00:00"
    assert zone.end_of(day) - zone.start_of(day) == hours * HOUR


@given(st.sampled_from(NAMES), st.dates(date(2018, 1, 1), date(2037, 12, 31)))
def test_a_day_is_all_moments_of_its_date(name: str, day: date) -> None:
    zone = zone_named(name)
    start, end = zone.start_of(day), zone.end_of(day)
    assert zone.day_of(start) == zone.day_of(end - INSTANT) == day
    assert zone.day_of(start - INSTANT) < day < zone.day_of(end)


@given(st.sampled_from(NAMES), st.sampled_from([date.min, date.max, date(1, 1, 2), date(9999, 12, 30)]))
def test_first_and_last_days_of_the_calendar_have_limits(name: str, day: date) -> None:
    zone = zone_named(name)
    assert zone.start_of(day) <= zone.end_of(day)
    assert zone.in_words(zone.start_of(day)).endswith(zone.title)


def test_moment_is_shown_with_the_zone() -> None:
    moment = datetime(2026, 5, 1, 4, tzinfo=UTC)
    assert zone_named("Eastern Time (US & Canada)").in_words(moment) == "2026-05-01 00:00 Eastern Time (US & Canada)"
    assert zone_named("").in_words(moment.astimezone(ZoneInfo("Asia/Tokyo"))) == "2026-05-01 04:00 UTC"


@pytest.mark.parametrize(
    ("zone", "moment", "words"),
    [
        ("Eastern Time (US & Canada)", datetime(2026, 11, 28, 3, 21, tzinfo=UTC), "Nov 27, 10:21 PM Eastern Time"),
        ("Eastern Time (US & Canada)", datetime(2026, 11, 28, 5, 0, tzinfo=UTC), "Nov 28, 12:00 AM Eastern Time"),
        ("Europe/London", datetime(2026, 7, 1, 11, 5, tzinfo=UTC), "Jul 1, 12:05 PM London time"),
        ("", datetime(2025, 12, 31, 23, 59, tzinfo=UTC), "Dec 31, 2025, 11:59 PM UTC"),
    ],
)
def test_moment_is_written_into_a_sentence(zone: str, moment: datetime, words: str) -> None:
    assert zone_named(zone).in_sentence(moment, datetime(2026, 11, 30, tzinfo=UTC)) == words
