"""The address as the warehouse gets it: what we check is what we send."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.rules.countries import country
from portal.rules.placeholders import is_blank, is_filler, is_no_answer, is_no_street
from portal.rules.shipping import us_state_code
from portal.rules.visible_text import clean, one_line

if TYPE_CHECKING:
    from portal.clients.bigcartel import BigCartelAddress

_NO_NAME = re.compile(r"n\s*[./]\s*a\.?", re.IGNORECASE)
# Part of a building, such as “Apt 4”: not a street.
_UNIT = re.compile(
    r"(?:#|(?:apt|apartment|app|unit|suite|ste|floor|fl|flat|room|rm|lot|bldg|building|level|dept)\b).*"
    r"|\w+\s+(?:floor|etage|étage)",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def sent_address(address: BigCartelAddress) -> BigCartelAddress:
    """Return the address without invisible characters and placeholders.

    A second line takes the place of a missing street unless it names only a part of a building. The country is ISO's
    code, "" if it isn't assigned; a US state is two letters if we know it. The cache spans assessing and packing.
    """
    code = country(address.country_code)
    street, second = one_line(address.address_1), one_line(address.address_2)
    street = "" if is_no_street(street) else street
    second = "" if is_no_answer(second) else second
    if not street and not is_no_street(second) and not _UNIT.fullmatch(second):
        street, second = second, ""
    city, state, postal_code = one_line(address.city), one_line(address.state), clean(one_line(address.zip))
    state = "" if is_filler(state) or state.casefold() == "none" else state
    return replace(
        address,
        first_name=_name(address.first_name),
        last_name=_name(address.last_name),
        address_1=street,
        address_2=second,
        city="" if is_filler(city) else city,
        state=us_state_code(state) if code == "US" else state,
        zip="" if is_no_answer(postal_code) else postal_code,
        country_code=code,
        phone=_without_answer(clean(one_line(address.phone))),
        email=_without_answer("".join(clean(one_line(address.email)).split())),
    )


def _name(text: str) -> str:
    text = one_line(text)
    return "" if is_blank(text) or _NO_NAME.fullmatch(text) else text


def _without_answer(text: str) -> str:
    return "" if is_no_answer(text) else text
