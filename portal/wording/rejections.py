"""What the warehouse's rejection message means, what to do about it, and on which page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.rules.hold_reasons import FixPage


@dataclass(frozen=True, slots=True)
class Meaning:
    """``remedy`` is a sentence; ``fixed_on`` is None when the message doesn't say where to fix it."""

    remedy: str
    fixed_on: FixPage | None = None


_UNKNOWN = Meaning("Fix the problem the warehouse describes.")
# ASSUMED: the FCP's messages are not published. These patterns match the parts of an order that a message may name.
_MEANINGS = (
    (
        re.compile(r"\bship\w*[\s_-]*(?:method|code|service|option)|\bcarrier\b", re.IGNORECASE),
        Meaning("Choose a different carrier service under Shipping.", FixPage.SHIPPING),
    ),
    (
        re.compile(r"\b(?:skus?|items?|products?)\b", re.IGNORECASE),
        Meaning("Fix the SKU or ask the warehouse to add it.", FixPage.PRODUCTS),
    ),
    (
        re.compile(
            r"address|\bcity\b|\bstate\b|postal|\bzip|country|\bphone|e-?mail|(?:first|last)\s*name", re.IGNORECASE
        ),
        Meaning("Fix the order's address in Big Cartel.", FixPage.BIG_CARTEL),
    ),
)


def meaning_of(words: str) -> Meaning:
    return next((meaning for pattern, meaning in _MEANINGS if pattern.search(words)), _UNKNOWN)
