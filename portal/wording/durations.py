"""How long something took or lasted, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

MINUTES_MATTER_BELOW = 3
"""From this many hours on, the minutes are left out."""


def duration_of(span: timedelta) -> str:
    """Return a span in its largest units, rounded down: "34 minutes", "2 hours 5 minutes", "7 hours", "3 days"."""
    minutes = max(int(span.total_seconds()), 0) // 60
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        return "less than a minute"
    if hours < 1:
        return count_of(minutes, "minute")
    if days >= 2:
        return count_of(days, "day")
    rest = minutes % 60 if hours < MINUTES_MATTER_BELOW else 0
    return f"{count_of(hours, 'hour')} {count_of(rest, 'minute')}" if rest else count_of(hours, "hour")


def count_of(number: int, noun: str) -> str:
    """Return "1 order" or "2 orders"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
