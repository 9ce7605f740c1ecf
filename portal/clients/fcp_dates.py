"""Read the dates of a US warehouse, in the forms that people and systems write them. The FCP's form is ASSUMED."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Other years are a system's placeholder for "no date", such as 0001, 1900, or 9999."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4}|'?\d{2})"
_ZONE = r"(?:\s*(?:z|(?:utc|gmt)?\s*[+-]\d{2}:?(?:\d{2})?)|\s+\(?[a-z]{2,5}\)?)?"
_TIME = rf"(?:(?:t|,?\s+(?:at\s+)?)\d{{1,2}}(?::\d{{2}}){{0,2}}(?:[.,]\d+)?\s*(?:[ap]\.?m\.?)?)?{_ZONE}"
_FORMS = tuple(
    re.compile(rf"{_WEEKDAY}{form}{_TIME}", re.IGNORECASE | re.ASCII)
    for form in (
        r"(?P<year>\d{4})(?P<separator>[-/.])(?P<month>\d{1,2})(?P=separator)(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:t?\d{6})?",
        rf"(?P<month>\d{{1,2}})(?P<separator>[-/.]| / )(?P<day>\d{{1,2}})(?P=separator){_YEAR}",
        rf"{_MONTH}[\s-]*{_DAY}(?:,\s*|[\s-]+){_YEAR}",
        rf"{_MONTH}\s+{_DAY}\s+\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s+[a-z]{{3,4}})?\s+{_YEAR}",
        rf"{_DAY}(?:\s+of)?[\s-]*{_MONTH},?[\s-]*{_YEAR}",
    )
)


def read_date(text: str) -> date | None:
    """Return the day that a text names, as written, in whatever time zone; None if it isn't clearly a date.

    In numbers the month comes first, as in the US. A date whose month would be over 12 is not read the other way
    round: a system that puts the day first would be misread on most other days.
    """
    visible = (char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    plain = " ".join("".join(visible).split()).rstrip(".")
    for form in _FORMS:
        if found := form.fullmatch(plain):
            parts = found.groupdict()
            name, year = parts.get("name"), int(parts["year"].strip("'"))
            month = _MONTHS.index(name[:3].casefold()) + 1 if name else int(parts["month"])
            return _day(year if len(parts["year"]) == 4 else 2000 + year, month, int(parts["day"]))
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None
