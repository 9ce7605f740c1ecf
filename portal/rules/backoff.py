"""When the clock tries again after a failure that a person need not mend."""

from __future__ import annotations

from datetime import datetime, timedelta

STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
GIVE_UP_AFTER = timedelta(hours=72)
MAX_TRUSTED = 3
"""So many times in a row a service's own wish for a pause is taken at its word."""


def next_try(failures: int, first_failed_at: datetime, now: datetime) -> datetime | None:
    """After 1, 5, 15 and 60 minutes, then hourly; None after 72 hours: from then on it needs a person.

    ``failures`` counts this one too.
    """
    if now - first_failed_at >= GIVE_UP_AFTER:
        return None
    return now + STEPS[min(max(failures, 1), len(STEPS)) - 1]


def throttled(failures: int, retry_after: float | None, now: datetime) -> datetime:
    """Return when a service that asks for fewer calls may be called again; ``retry_after`` is what it said, in seconds.

    What it asks for goes, but one that refuses time and again is called no sooner than the steps say.
    """
    if retry_after is None:
        return later(failures, now)
    wished = now + timedelta(seconds=retry_after)
    return wished if failures <= MAX_TRUSTED else max(wished, later(failures - MAX_TRUSTED, now))


def later(failures: int, now: datetime) -> datetime:
    """The same steps for what is never given up: polls, and a merchant's way to the FCP."""
    return now + STEPS[min(max(failures, 1), len(STEPS)) - 1]
