"""Check whether the warehouse can ship to an address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.rules.hold_reasons import Hold, HoldReason, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.clients.bigcartel import BigCartelAddress

COUNTRY_CODE = re.compile("[A-Z]{2}")


def address_holds(address: BigCartelAddress) -> Iterator[Hold]:
    """Yield what is wrong with the address, without the buyer's data."""
    missing = [name for name, text in _needed(address) if not _is_visible(text)]
    if missing:
        yield Hold(
            HoldReason.ADDRESS_INCOMPLETE,
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
        )
    country = address.country_code
    if _is_visible(country) and not COUNTRY_CODE.fullmatch(country):
        yield Hold(HoldReason.UNKNOWN_VALUE, value("country code", country))


def _needed(address: BigCartelAddress) -> Iterator[tuple[str, str]]:
    yield "the name", address.first_name + address.last_name
    yield "the street", address.address_1
    yield "the city", address.city
    if address.country_code == "US":
        yield "the state", address.state
        yield "the ZIP code", address.zip
    yield "the country", address.country_code


def _is_visible(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return bool(text.strip(" "))
    return any(character.isprintable() and not character.isspace() for character in text)
