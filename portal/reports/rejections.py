"""What a refusal in the warehouse's own words means for people, and where it is mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where something is mended."""

    PRODUCTS = "products"
    SHIPPING = "shipping"
    BIG_CARTEL = "big_cartel"


@dataclass(frozen=True, slots=True)
class Meaning:
    """``place`` is None when the words do not tell where."""

    sentence: str
    place: Place | None = None


_UNKNOWN = Meaning("Mend what it names.")
# ASSUMED: the FCP's texts are not published; these are the elements of a submission by which a text may name them.
_MEANINGS = (
    (
        re.compile(r"\bship\w*[\s_-]*(?:method|code|service|option)|\bcarrier\b", re.IGNORECASE),
        Meaning("It does not take the carrier's service. Choose another one under Shipping.", Place.SHIPPING),
    ),
    (
        re.compile(r"\b(?:skus?|items?|products?)\b", re.IGNORECASE),
        Meaning(
            "It does not know a SKU, or cannot ship the item. Mend the SKU, or have the warehouse add it.",
            Place.PRODUCTS,
        ),
    ),
    (
        re.compile(
            r"address|\bcity\b|\bstate\b|postal|\bzip|country|\bphone|e-?mail|(?:first|last)\s*name", re.IGNORECASE
        ),
        Meaning("It cannot ship to this address. Mend the order's address in Big Cartel.", Place.BIG_CARTEL),
    ),
)


def meaning_of(words: str) -> Meaning:
    return next((meaning for pattern, meaning in _MEANINGS if pattern.search(words)), _UNKNOWN)
