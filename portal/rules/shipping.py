"""The shipping code for an order's destination, and two-letter codes for US states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import pycountry

US_TERRITORIES = frozenset({"PR", "GU", "VI", "AS", "MP", "UM"})

# Not in ISO 3166-2: military mail, and other names people use for DC and the Virgin Islands.
_MORE_STATES = {
    "aa": "AA",
    "ae": "AE",
    "ap": "AP",
    "armed forces americas": "AA",
    "armed forces the americas": "AA",
    "armed forces africa": "AE",
    "armed forces canada": "AE",
    "armed forces europe": "AE",
    "armed forces middle east": "AE",
    "armed forces pacific": "AP",
    "washington dc": "DC",
    "us virgin islands": "VI",
    "virgin islands": "VI",
}


class ShippingCode(StrEnum):
    """Where an order goes; a merchant maps each code to one carrier service."""

    DOMESTIC_DEFAULT = "DOMESTIC_DEFAULT"
    INTERNATIONAL_DEFAULT = "INTERNATIONAL_DEFAULT"


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """A service mapping, saved or proposed, as service codes; "" for none."""

    domestic: str
    international: str
    territories_domestic: bool

    def service(self, code: ShippingCode | None) -> str:
        """Return the mapped service's code, or "" when none is chosen or the shipping code is None."""
        match code:
            case ShippingCode.DOMESTIC_DEFAULT:
                return self.domestic
            case ShippingCode.INTERNATIONAL_DEFAULT:
                return self.international
            case None:
                return ""


def shipping_code(country_code: str, *, territories_domestic: bool) -> ShippingCode:
    """Return the shipping code for a country (ISO 3166-1 alpha-2).

    Only the US and, if the merchant chose so, its territories are domestic.
    """
    code = country_code.strip().upper()
    if code == "US" or (territories_domestic and code in US_TERRITORIES):
        return ShippingCode.DOMESTIC_DEFAULT
    return ShippingCode.INTERNATIONAL_DEFAULT


def us_state_code(state: str) -> str:
    """Return the two-letter code of a US state, district or territory, or the text unchanged when it isn't one."""
    return _state_codes().get(_words(state), state)


def _words(state: str) -> str:
    """Lowercase the text, collapse spaces, and drop periods, commas and a leading "US-"."""
    return " ".join(state.casefold().replace(".", "").replace(",", " ").split()).removeprefix("us-").lstrip()


@lru_cache(maxsize=1)
def _state_codes() -> dict[str, str]:
    codes = dict(_MORE_STATES)
    for subdivision in pycountry.subdivisions:
        if subdivision.country_code != "US":
            continue
        letters = subdivision.code.removeprefix("US-")
        codes[letters.casefold()] = letters
        codes[_words(subdivision.name)] = letters
    return codes
