"""The shipping code for an order's destination, and two-letter codes for US states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.rules.countries import country
from portal.rules.us_states import us_state

# They have a country code of their own, but USPS delivers to them as domestic mail: six territories, and three freely
# associated states.
US_TERRITORIES = frozenset({"PR", "GU", "VI", "AS", "MP", "UM", "MH", "FM", "PW"})


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

    Only the US and, if the merchant chose so, its territories are domestic. Any text is accepted.
    """
    code = country(country_code)
    if code == "US" or (territories_domestic and code in US_TERRITORIES):
        return ShippingCode.DOMESTIC_DEFAULT
    return ShippingCode.INTERNATIONAL_DEFAULT


def us_state_code(state: str) -> str:
    """Return the two-letter code of a US state, district, territory, or military region, or the text unchanged."""
    return us_state(state) or state
