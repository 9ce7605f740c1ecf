"""Recognize a street without a house number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.rules.po_box import is_military, is_po_box

if TYPE_CHECKING:
    from portal.clients.bigcartel import BigCartelAddress

# Countries where nearly every address has a number. Left out are those with named houses (GB, IE), hamlets (FR), houses
# "without number" (ES, IT, Latin America), and countries where a block or a landmark takes its place.
_NUMBERED = frozenset({"AT", "BE", "CA", "CH", "CZ", "DE", "DK", "HU", "LI", "LU", "NL", "PL", "PR", "SK", "US"})
# Here a house may have a name instead, so only a line that is a street and nothing else is doubtful.
_NUMBERED_OR_NAMED = frozenset({"AU", "GB", "NZ"})
_ONLY_A_STREET = re.compile(
    r"(?:the\s+)?[\w'\u2019-]+\s+(?:street|st|road|rd|lane|ln|avenue|ave|close|drive|dr|crescent|terrace|way)\.?",
    re.IGNORECASE,
)
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred)\b",
    re.IGNORECASE,
)


def lacks_house_number(address: BigCartelAddress) -> bool:
    """Return whether a street address has no number, in a country where it needs one."""
    street, second = address.address_1, address.address_2
    if not street or any(character.isnumeric() for character in street + second):
        return False
    if address.country_code in _NUMBERED_OR_NAMED:
        return not second and _ONLY_A_STREET.fullmatch(street) is not None
    if address.country_code not in _NUMBERED or _NUMBER_WORD.search(f"{street} {second}"):
        return False
    return not is_po_box(address) and not is_military(address)
