"""When to retry after a failure that nobody has to fix."""

from __future__ import annotations

from datetime import datetime, timedelta

STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
GIVE_UP_AFTER = timedelta(hours=72)
MAX_TRUSTED = 3
"""Consecutive Retry-After values honored before our own backoff sets a floor."""


def next_try(failures: int, first_failed_at: datetime, now: datetime) -> datetime | None:
    """Return the time of the next try: after 1, 5, 15 and 60 minutes, then hourly.

    Returns None 72 hours after the first failure: the order then needs attention. ``failures`` includes this one.
    """
    if now - first_failed_at >= GIVE_UP_AFTER:
        return None
    return now + STEPS[min(max(failures, 1), len(STEPS)) - 1]


def throttled(failures: int, retry_after: float | None, now: datetime) -> datetime:
    """Return when to call a service again that is limiting our rate; ``retry_after`` is its Retry-After in seconds.

    Retry-After is honored, but after MAX_TRUSTED in a row we also wait at least our own backoff.
    """
    if retry_after is None:
        return later(failures, now)
    requested = now + timedelta(seconds=retry_after)
    return requested if failures <= MAX_TRUSTED else max(requested, later(failures - MAX_TRUSTED, now))


def later(failures: int, now: datetime) -> datetime:
    """Like next_try(), but never give up: for polls, and for pausing calls to the FCP."""
    return now + STEPS[min(max(failures, 1), len(STEPS)) - 1]
