"""Which of the merchant's two shipping codes an order takes, and US states by their two letters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import pycountry

US_TERRITORIES = frozenset({"PR", "GU", "VI", "AS", "MP", "UM"})

# Not in ISO 3166-2: military mail, and the ways people write the capital.
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
    """What a merchant maps to one service each."""

    DOMESTIC_DEFAULT = "DOMESTIC_DEFAULT"
    INTERNATIONAL_DEFAULT = "INTERNATIONAL_DEFAULT"


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """A mapping as saved, or as one thinks of saving it: codes of services, "" for none."""

    domestic: str
    international: str
    territories_domestic: bool

    def service(self, code: ShippingCode | None) -> str:
        """Return the code of the service, "" when none is chosen or the shipping code is not known."""
        match code:
            case ShippingCode.DOMESTIC_DEFAULT:
                return self.domestic
            case ShippingCode.INTERNATIONAL_DEFAULT:
                return self.international
            case None:
                return ""


def shipping_code(country_code: str, *, territories_domestic: bool) -> ShippingCode:
    """``country_code`` is ISO 3166-1 alpha-2. All but the US and, where asked, its territories is abroad."""
    code = country_code.strip().upper()
    if code == "US" or (territories_domestic and code in US_TERRITORIES):
        return ShippingCode.DOMESTIC_DEFAULT
    return ShippingCode.INTERNATIONAL_DEFAULT


def us_state_code(state: str) -> str:
    """The two letters of a US state, district or territory where the text is one; else the text as given."""
    return _state_codes().get(_words(state), state)


def _words(state: str) -> str:
    """The text in lower case with single spaces, without dots, commas and the country in front."""
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
