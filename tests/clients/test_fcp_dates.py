"""Dates in the forms that people and systems in the US write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.fcp_dates import FIRST_YEAR, LAST_YEAR, read_date

FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S-05:00",
    "%Y-%m-%dZ", "%Y-%m-%d+00:00", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p EST", "%b %d, %Y", "%b. %d %Y", "%B %d, %Y %I:%M %p", "%B %d, %Y at %I:%M %p",
    "%A, %B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S +0000",
)  # fmt: skip


@given(st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)), st.times(), st.sampled_from(FORMS))
def test_every_day_is_read_in_every_form(day: date, moment: time, form: str) -> None:
    text = datetime.combine(day, moment, UTC).strftime(form)
    assert read_date(text) == read_date(f" {text.upper()} ") == day


@pytest.mark.parametrize(
    "text",
    [
        "1/2/2026",
        "1/2/26",
        "01-02-2026",
        "Jan 2nd, 2026",
        "January 2 '26",
        "2 jan 2026",
        "01 / 02 / 2026",
        "1/2/2026.",
        "\u200e1/2/2026\u200b",
        "20260102T103015Z",
        "20260102103015",
        "Fri Jan 2 10:30:15 EST 2026",
    ],
)
def test_month_comes_first(text: str) -> None:
    assert read_date(text) == date(2026, 1, 2)


@pytest.mark.parametrize(
    "text",
    ["", "N/A", "soon", "20/11/2026", "13/45/2026", "02/30/2026", "2026-13-01", "2026-11", "11/20", "0001-01-01",
     "1900-01-01", "12/31/9999", "2026-11-20junk", "1795132800", "11/20-2026", "Foo 20, 2026", "11/20/202", "0/0/0000"],
)  # fmt: skip
def test_what_is_no_certain_date_is_none(text: str) -> None:
    assert read_date(text) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read_date(text) is None or any(map(str.isdigit, text))
