"""Countries by their ISO 3166-1 alpha-2 codes."""

from __future__ import annotations

from functools import lru_cache

import pycountry

from portal.rules.visible_text import clean

# Not assigned by ISO 3166-1, but carriers and Big Cartel use it.
KOSOVO = "XK"
# ISO 3166-1 reserves it for the United Kingdom and never gives it to another country.
_OTHER_CODES = {"UK": "GB"}


def country(code: str) -> str:
    """Return the assigned code in capitals, with UK as GB, or "" when the text is no country's code."""
    if code not in _assigned():
        code = clean(code).upper()
        code = _OTHER_CODES.get(code, code)
    return code if code in _assigned() else ""


@lru_cache(maxsize=1)
def _assigned() -> frozenset[str]:
    return frozenset(one.alpha_2 for one in pycountry.countries) | {KOSOVO}


@lru_cache(maxsize=1)
def country_names() -> dict[str, str]:
    """Return the English name of each country by its code, sorted by name."""
    names = {one.alpha_2: getattr(one, "common_name", one.name) for one in pycountry.countries} | {KOSOVO: "Kosovo"}
    return dict(sorted(names.items(), key=lambda one: one[1]))
