"""How often the warehouse is asked about an order, by how long it has been there.

Most orders are shipped within days. Of those that aren't, many never are, and over the years they would make up most of
the calls.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

OFTEN_FOR = timedelta(days=3)
HOURLY_FOR = timedelta(days=14)
HOURLY, FOUR_TIMES_A_DAY = timedelta(hours=1), timedelta(hours=6)


def intervals(often: timedelta) -> Sequence[tuple[timedelta, timedelta]]:
    """Return pairs of an age and the interval between two calls about an order up to that age, the young ones first.

    ``often`` is the interval for young orders; no other is shorter.
    """
    return (
        (OFTEN_FOR, often),
        (HOURLY_FOR, max(often, HOURLY)),
        (timedelta.max, max(often, FOUR_TIMES_A_DAY)),
    )


def is_to_be_asked(since: datetime, last_asked: datetime | None, now: datetime, often: timedelta) -> bool:
    """Return whether to ask about an order that is at the warehouse since then, if calls were last made then.

    An older order is asked when a whole number of its intervals has passed since it came. So it needs no time of its
    own, and the orders of one day aren't all asked at once.
    """
    age = max(now - since, timedelta())
    every = next(every for until, every in intervals(often) if age <= until)
    return every <= often or last_asked is None or (last_asked - since) // every < (now - since) // every
