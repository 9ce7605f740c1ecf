"""Which time zone days are in: the store's, as its owner set it in Big Cartel, or in filters the reader's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.time_zones import UTC_ZONE, find_zone, zone_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.models import Store
    from portal.rules.time_zones import TimeZone


@dataclass(frozen=True, slots=True)
class Days:
    """The time zone that days are counted in, and its name within a sentence: "the store's time zone, London time"."""

    zone: TimeZone
    words: str


UTC_DAYS = Days(UTC_ZONE, "UTC")
_LONGEST_NAME = 64
"""Characters of a zone's name from a browser."""


def days_of(stores: Sequence[Store]) -> Days:
    """Return the days of the first connected store, else of the first store; UTC while its time zone isn't known.

    If the stores are in different zones, the words name the store.
    """
    if not stores:
        return UTC_DAYS
    store = next((one for one in stores if one.sealed_token), stores[0])
    if find_zone(store.time_zone) is None:
        return UTC_DAYS
    zone = zone_named(store.time_zone)
    differ = any(zone_named(one.time_zone) != zone for one in stores)
    whose = f"{store.title}'s" if differ else "the store's"
    return Days(zone, f"{whose} time zone, {zone.title}")


def readers_days(zone: str) -> Days | None:
    """Return the days in the zone that a browser names, such as "America/New_York"; None if there is no such zone."""
    found = find_zone(zone) if len(zone) <= _LONGEST_NAME else None
    return Days(found, f"your time zone, {found.title}") if found is not None else None
