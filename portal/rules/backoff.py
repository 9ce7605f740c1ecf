"""When to ask again: after a failure that nobody has to fix, and at regular intervals.

A failure of the whole service (``Cause.HOST``) never counts here: while a host fails, everything waits for its first
clear answer, and is then due at once.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

STEPS = (timedelta(), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
GIVE_UP_AFTER = timedelta(hours=72)
MAX_TRUSTED = 3
"""Consecutive Retry-After values honored before our own backoff sets a floor."""
SPREAD = 0.1
"""Largest part of an interval by which it is shortened at random."""
SHORTEST_CHECK, LONGEST_CHECK = timedelta(seconds=30), timedelta(minutes=5)


def next_try(failures: int, first_failed_at: datetime, now: datetime) -> datetime | None:
    """Return the time of the next try: at once, then after 1, 5, 15 and 60 minutes, then hourly.

    Returns None 72 hours after the first failure: the order then needs attention. ``failures`` includes this one.
    """
    if now - first_failed_at >= GIVE_UP_AFTER:
        return None
    return now + STEPS[min(max(failures, 1), len(STEPS)) - 1]


def throttled(failures: int, retry_after: float | None, now: datetime) -> datetime:
    """Return when to call a service again that is limiting our rate; ``retry_after`` is its Retry-After in seconds.

    Without one, wait a minute, then longer. It is honored, but after MAX_TRUSTED in a row we also wait at least that.
    """
    steps = STEPS[1:]

    def own(count: int) -> datetime:
        return now + steps[min(max(count, 1), len(steps)) - 1]

    if retry_after is None:
        return own(failures)
    requested = now + timedelta(seconds=retry_after)
    return requested if failures <= MAX_TRUSTED else max(requested, own(failures - MAX_TRUSTED))


def next_check(waiting_since: datetime, now: datetime) -> datetime:
    """Return when to ask again about something that is still open, without ever giving up.

    The wait is a quarter of the time since ``waiting_since``, at least 30 seconds and at most 5 minutes.
    """
    return now + min(max((now - waiting_since) / 4, SHORTEST_CHECK), LONGEST_CHECK)


def interval(seconds: int) -> timedelta:
    """Return a wait of this length, or up to a tenth less.

    After an outage or a restart, everything is due at the same time. With equal waits it would stay so, and the calls
    of each minute would come within a few seconds. With these, they have spread over it after half an hour.
    """
    return timedelta(seconds=seconds * (1 - SPREAD * random.random()))  # noqa: S311 - jitter, not a secret
