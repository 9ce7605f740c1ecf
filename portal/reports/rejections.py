"""What a refusal in the warehouse's own words means for people, and where it is fixed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.rules.hold_reasons import FixPage


@dataclass(frozen=True, slots=True)
class Meaning:
    """``fixed_on`` is None when the words do not tell where."""

    sentence: str
    fixed_on: FixPage | None = None


_UNKNOWN = Meaning("Mend what it names.")
# ASSUMED: the FCP's texts are not published; these are the elements of a submission by which a text may name them.
_MEANINGS = (
    (
        re.compile(r"\bship\w*[\s_-]*(?:method|code|service|option)|\bcarrier\b", re.IGNORECASE),
        Meaning("It does not take the carrier's service. Choose another one under Shipping.", FixPage.SHIPPING),
    ),
    (
        re.compile(r"\b(?:skus?|items?|products?)\b", re.IGNORECASE),
        Meaning(
            "It does not know a SKU, or cannot ship the item. Mend the SKU, or have the warehouse add it.",
            FixPage.PRODUCTS,
        ),
    ),
    (
        re.compile(
            r"address|\bcity\b|\bstate\b|postal|\bzip|country|\bphone|e-?mail|(?:first|last)\s*name", re.IGNORECASE
        ),
        Meaning("It cannot ship to this address. Mend the order's address in Big Cartel.", FixPage.BIG_CARTEL),
    ),
)


def meaning_of(words: str) -> Meaning:
    return next((meaning for pattern, meaning in _MEANINGS if pattern.search(words)), _UNKNOWN)
