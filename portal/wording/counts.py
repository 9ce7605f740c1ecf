"""Numbers with their unit, lists, and lengths of time, as sentences have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_UP_TO = 2
"""A length of time is told in the next smaller unit below this many: "119 minutes", then "2 hours"."""


def count_of(number: int, noun: str) -> str:
    """Return the number with its noun, which takes an "s": "1 order", "12 orders"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def length(time: timedelta) -> str:
    """Return a length of time in one unit, rounded down: "34 minutes", "3 hours", "less than a minute"."""
    seconds = time.total_seconds()
    for size, unit in _UNITS:
        if seconds >= _UP_TO * size or (unit == "minute" and seconds >= size):
            return count_of(int(seconds // size), unit)
    return "less than a minute"


def from_now(time: timedelta) -> str:
    """Return a moment by its distance from now, in one short unit: "40 s ago", "in 25 s", "3 min ago", "2 h ago".

    The pages' script writes the same words as time goes on.
    """
    seconds = abs(time.total_seconds())
    units = ((2 * 86_400, 86_400, "days"), (3_600, 3_600, "h"), (60, 60, "min"), (0, 1, "s"))
    size, unit = next((size, unit) for above, size, unit in units if seconds >= above)
    number = int(seconds // size)
    return f"in {number} {unit}" if time.total_seconds() > 0 else f"{number} {unit} ago"


def short_length(time: timedelta) -> str:
    """Return a length of time for a narrow column: "34 min", "3 h", "12 days"; below a minute "<1 min"."""
    seconds = time.total_seconds()
    for above, size, unit in ((2 * 86_400, 86_400, "days"), (3_600, 3_600, "h"), (60, 60, "min")):
        if seconds >= above:
            return f"{int(seconds // size)} {unit}"
    return "<1 min"


def listed(parts: Sequence[str], at_most: int = 10) -> str:
    """Return the parts as a list in a sentence: "A, B and C", or "A, B and 10 more"."""
    shown = list(parts[:at_most])
    if len(parts) > len(shown):
        return f"{', '.join(shown)} and {len(parts) - len(shown)} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
