"""Check whether an address is complete and plausible, and whether the carrier delivers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portal.rules.hold_reasons import Hold, HoldReason, value
from portal.rules.house_number import lacks_house_number
from portal.rules.place_names import name_key
from portal.rules.placeholders import is_no_answer
from portal.rules.po_box import is_military, is_po_box
from portal.rules.postal_rules import PostalRules, postal_rules
from portal.rules.sent_address import sent_address
from portal.rules.services import carrier_of
from portal.rules.shipping import US_TERRITORIES
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.clients.bigcartel import BigCartelAddress

# Neither UPS nor FedEx delivers to PO boxes or military addresses; only the post does. Both have services that hand the
# parcel over to the post, but whether a given warehouse's code means that is not known, so a person decides.
_NO_BOXES = frozenset({"ups", "fedex", "federal express"})


class Finding(NamedTuple):
    """A field of an address, by its name in BigCartelAddress, and what is missing or wrong, as people say it."""

    field: str
    words: str


def missing_fields(address: BigCartelAddress) -> list[Finding]:
    """Return the fields that the address lacks."""
    place = sent_address(address)
    found = list(_missing(place, postal_rules(place.country_code)))
    return found if clean(address.country_code) else [*found, Finding("country_code", "the country")]


def doubtful_fields(address: BigCartelAddress) -> list[Finding]:
    """Return the fields that look wrong."""
    place = sent_address(address)
    return list(_doubts(place, postal_rules(place.country_code)))


def address_holds(address: BigCartelAddress) -> Iterator[Hold]:
    """Yield what is wrong with the address, without the buyer's data."""
    missing = [one.words for one in missing_fields(address)]
    if missing:
        yield Hold(
            HoldReason.ADDRESS_INCOMPLETE,
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
        )
    if clean(address.country_code) and not sent_address(address).country_code:
        yield Hold(HoldReason.UNKNOWN_VALUE, value("country code", address.country_code))
    for doubt in doubtful_fields(address):
        yield Hold(HoldReason.ADDRESS_DOUBTFUL, doubt.words)


def carrier_holds(address: BigCartelAddress, service: str) -> Iterator[Hold]:
    """Yield a hold if the carrier of a service, given by its code, doesn't deliver to such an address."""
    carrier = carrier_of(service)
    if carrier.casefold() not in _NO_BOXES:
        return
    place = sent_address(address)
    if is_military(place):
        yield Hold(HoldReason.CARRIER_CANNOT_DELIVER, f"{carrier} doesn't deliver to military addresses")
    elif is_po_box(place):
        yield Hold(HoldReason.CARRIER_CANNOT_DELIVER, f"{carrier} doesn't deliver to PO boxes")


def _missing(place: BigCartelAddress, rules: PostalRules) -> Iterator[Finding]:
    if all(is_no_answer(name.replace(" ", "")) for name in (place.first_name, place.last_name)):
        yield Finding("first_name", "the name")
    if not place.address_1:
        yield Finding("address_1", "the street")
    if not place.city and ("C" in rules.required or ("S" in rules.required and not place.state)):
        yield Finding("city", "the city")
    if _needs_province(place, rules) and rules.closed:
        yield Finding("state", f"the {rules.province_word}")
    if not place.zip and "Z" in rules.required:
        yield Finding("zip", f"the {rules.postal_code_word}")


def _needs_province(place: BigCartelAddress, rules: PostalRules) -> bool:
    """A territory is the state itself. A city that has its province's name may stand for both."""
    if place.state or "S" not in rules.required or rules.country in US_TERRITORIES:
        return False
    return rules.closed or name_key(place.city) not in rules.provinces


def _doubts(place: BigCartelAddress, rules: PostalRules) -> Iterator[Finding]:
    if _needs_province(place, rules) and not rules.closed:
        yield Finding("state", f"the {rules.province_word} is missing")
    province = rules.provinces.get(name_key(place.state), "")
    if place.state and rules.closed and not province:
        yield Finding("state", f"we don't recognize the {rules.province_word}")
    if place.zip and not (_is_zeros(place.zip) and "Z" not in rules.required):
        if _is_zeros(place.zip) or not rules.fits(place.zip):
            yield Finding("zip", f"the {rules.postal_code_word} doesn't have the format of its country")
        elif province and not rules.belongs(place.zip, province):
            yield Finding("zip", f"the {rules.postal_code_word} belongs to another {rules.province_word}")
    if lacks_house_number(place):
        yield Finding("address_1", "the house number is missing")


def _is_zeros(postal_code: str) -> bool:
    """Return whether it is only zeros, which people type where a form asks for a postal code they don't have."""
    return not postal_code.strip("0- ")
