"""A store's time zone: how Big Cartel may spell it, how we name it, and when its days start and end.

Big Cartel doesn't document the spelling of an account's ``time_zone``. The two usual ones are read: a name of Ruby on
Rails ("Eastern Time (US & Canada)") and an IANA identifier ("America/New_York"). The first kind is listed in
rails_time_zones.json, the public table ActiveSupport::TimeZone::MAPPING (api.rubyonrails.org).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

_RAILS_FILE = Path(__file__).with_name("rails_time_zones.json")
_OFFSET = re.compile(r"\((?:GMT|UTC)[^)]*\)", re.IGNORECASE)
"""What Rails puts before a zone's name in lists: "(GMT-05:00)"."""
_COUNTRIES = re.compile(r" \(US & Canada\)| \(Canada\)")
"""What a sentence leaves out of a zone's name: "Eastern Time (US & Canada)"."""
_PLACEHOLDER = "Factory"
"""The identifier that stands for "no zone is set"."""
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A time zone with the name that people see, such as "Eastern Time (US & Canada)", "London time" or "UTC"."""

    title: str
    info: tzinfo

    def start_of(self, day: date) -> datetime:
        """Return the first moment of a day, in UTC.

        Where clocks skip midnight, that is the moment of the change; where midnight comes twice, the first one.
        """
        try:
            return datetime.combine(day, time.min, self.info).astimezone(UTC)
        except OverflowError:
            return _FIRST if day.year == date.min.year else _LAST

    def end_of(self, day: date) -> datetime:
        """Return the first moment after a day, in UTC: with a change of clocks, a day has 23 or 25 hours."""
        return self.start_of(day + timedelta(days=1)) if day < date.max else _LAST

    def day_of(self, moment: datetime) -> date:
        return self._local(moment).date()

    def hour_of(self, moment: datetime) -> int:
        """Return the hour that clocks show, from 0 to 23."""
        return self._local(moment).hour

    def in_words(self, moment: datetime) -> str:
        """Return a moment with the zone: "2026-05-01 00:00 Eastern Time (US & Canada)"."""
        return f"{self._local(moment):%Y-%m-%d %H:%M} {self.title}"

    def in_sentence(self, moment: datetime, now: datetime) -> str:
        """Return a moment as a person would write it: "Nov 27, 10:21 PM Eastern Time". Another year is named."""
        local = self._local(moment)
        year = "" if local.year == self._local(now).year else f", {local.year}"
        return f"{local:%b} {local.day}{year}, {local.hour % 12 or 12}:{local:%M %p} {_COUNTRIES.sub('', self.title)}"

    def _local(self, moment: datetime) -> datetime:
        try:
            return moment.astimezone(self.info)
        except OverflowError:
            return moment


UTC_ZONE = TimeZone("UTC", UTC)


def zone_named(name: str) -> TimeZone:
    """Return the zone with this name as Big Cartel spells it, or UTC for an empty or unknown one."""
    return find_zone(name) or UTC_ZONE


@lru_cache(maxsize=1024)
def find_zone(name: str) -> TimeZone | None:
    """Return the zone with this name, or None for an unknown one. Case and a leading offset don't matter."""
    wanted = _OFFSET.sub("", clean(name), count=1).strip().casefold()
    if wanted in _rails():
        title, identifier = _rails()[wanted]
    elif identifier := _identifiers().get(wanted.replace(" ", "_"), ""):
        title = _place(identifier)
    else:
        return None
    if title in {"UTC", "UCT", "Universal", "Zulu"}:
        return UTC_ZONE
    return TimeZone(title if "Time" in title or title.isupper() else f"{title} time", ZoneInfo(identifier))


def _place(identifier: str) -> str:
    """Return "New York" for America/New_York. In Etc/GMT+5, the sign is inverted, so that name stays as it is."""
    area, _, place = identifier.rpartition("/")
    return identifier if area == "Etc" and place.startswith("GMT") else place.replace("_", " ")


@cache
def _rails() -> Mapping[str, tuple[str, str]]:
    """Return Rails' names and IANA identifiers by the name in lower case."""
    names: dict[str, str] = json.loads(_RAILS_FILE.read_text(encoding="utf-8"))
    return {name.casefold(): (name, identifier) for name, identifier in names.items()}


@cache
def _identifiers() -> Mapping[str, str]:
    """Return the identifiers that the tzdata package lists, by the identifier in lower case.

    zoneinfo's own list opens every file of the system's zones, which takes seconds on a busy machine.
    """
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {identifier.casefold(): identifier for identifier in listed if identifier != _PLACEHOLDER}
