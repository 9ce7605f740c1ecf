"""Tell apart several tracking numbers in one text.

The warehouse's own plugin joins them with semicolons; any other separator is ASSUMED. Carriers print numbers in groups
("9400 1112 0108 0805 4830 16"), so spaces and dashes separate numbers only if each part is long enough to be one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 10
"""Letters and digits of the shortest number in public test data of carriers (DHL Express, LaserShip)."""

_ADDRESS = re.compile(r"(https?://[^\s;,|<>]+)", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"[;,|/&+\n\r\t\v\f\x85\u2028\u2029\u2022\u00b7\u3001]|\\[nr]?|<[^<>]*>|\b(?:and|or|then)\b", re.IGNORECASE
)
_IN_BRACKETS = re.compile(r"^[(\[]([^()\[\]]*)[)\]]$")
_MAYBE_SEPARATORS = (re.compile(r"\s+-+\s+|\s{2,}"), re.compile(r"\s"))
_LABEL = re.compile(
    r"^(?:(?:package|parcel|box|carton|shipment)\s*#?\d{1,2}\s*[:.)]\s*)?"
    r"(?:(?:tracking|track|trk)(?:\W{0,3}(?:numbers?|nos?|nums?|ids?|codes?))?(?:\(s\))?[\s#:.=]+|#\s*)?",
    re.IGNORECASE,
)


def tracking_numbers(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each number once, in order; those that differ only in spaces and case are the same.

    Texts without a digit, such as "N/A", are no numbers. Spaces within a number are kept, as single ones.
    """
    found: dict[str, str] = {}
    for text in texts:
        for number in _split(_visible(text)):
            found.setdefault("".join(number.split()).casefold(), number)
    return tuple(found.values())


def _visible(text: str) -> str:
    """Return the text in plain letters and digits, with plain dashes and without invisible characters."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join("-" if _is(char, "Pd") else char for char in plain if not _is(char, "Cf"))


def _is(char: str, category: str) -> bool:
    return unicodedata.category(char) == category


def _split(text: str) -> Iterator[str]:
    for position, part in enumerate(_ADDRESS.split(text)):
        pieces = [part] if position % 2 else _SEPARATOR.split(part)
        for piece in pieces:
            for number in _apart(_LABEL.sub("", piece.strip()), _MAYBE_SEPARATORS):
                if any(map(str.isdigit, number)):
                    yield _IN_BRACKETS.sub(r"\1", " ".join(number.split()).strip("\"'."))


def _apart(text: str, separators: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    """Yield the parts of a text if each could be a number of its own, otherwise the whole text."""
    if not separators:
        yield from _repeated_groups(text)
        return
    parts = separators[0].split(text)
    for part in parts if all(sum(map(str.isalnum, part)) >= SHORTEST for part in parts) else [text]:
        yield from _apart(part, separators[1:])


def _repeated_groups(text: str) -> Iterator[str]:
    """Yield the numbers in a text whose groups repeat the same uneven lengths, otherwise the whole text."""
    groups = text.split()
    lengths = [len(group) for group in groups]
    for size in range(2, len(groups) // 2 + 1):
        one = lengths[:size]
        if lengths == one * (len(groups) // size) and len(set(one)) > 1 and sum(one) >= SHORTEST:
            yield from (" ".join(groups[start : start + size]) for start in range(0, len(groups), size))
            return
    yield text
