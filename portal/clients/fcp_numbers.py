"""Compare order numbers. Whether the FCP keeps their case isn't published (ASSUMED), so case doesn't count."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def number_key(number: str) -> str:
    """Return what is equal for two spellings of one order number.

    Case, spaces around it, invisible characters, and the kind of dash may differ.
    """
    visible = (character for character in number if unicodedata.category(character) != "Cf")
    plain = "".join("-" if unicodedata.category(character) == "Pd" else character for character in visible)
    return " ".join(plain.split()).casefold()


def is_same_number(one: str, other: str) -> bool:
    return one == other or number_key(one) == number_key(other)


def finder(requested: Iterable[str]) -> Callable[[str], str | None]:
    """Return a function that finds the requested number that an answer means; None if it is none of them.

    If two requested numbers differ only in case, an answer means one of them only if it spells it exactly.
    """
    exact = frozenset(requested)
    by_key: dict[str, list[str]] = {}
    for number in exact:
        by_key.setdefault(number_key(number), []).append(number)

    def find(named: str) -> str | None:
        same = [named] if named in exact else by_key.get(number_key(named), [])
        return same[0] if len(same) == 1 else None

    return find
