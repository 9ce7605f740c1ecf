"""Business days: Monday to Friday, in a store's time zone.

Holidays count as business days, because we don't know which ones the warehouse keeps.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.rules.time_zones import TimeZone

_SATURDAY = 5


def later(moment: datetime, days: int, zone: TimeZone) -> datetime:
    """Return the moment that many business days later, at the same time of day.

    What begins on a weekend begins with the next Monday.
    """
    local = moment.astimezone(zone.info).replace(tzinfo=None)
    if local.weekday() >= _SATURDAY:
        local = datetime.combine(local.date(), time.min)
    while local.weekday() >= _SATURDAY:
        local += timedelta(days=1)
    for _ in range(days):
        local += timedelta(days=3 if local.weekday() == _SATURDAY - 1 else 1)
    return local.replace(tzinfo=zone.info).astimezone(UTC)
