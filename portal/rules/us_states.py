"""US states, districts, territories, and military regions by every name that people write.

The official names and codes are those of USPS Publication 28, appendix B.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, permutations, product
from typing import TYPE_CHECKING

from portal.rules.place_names import name_key

if TYPE_CHECKING:
    from collections.abc import Iterator

STATES = {
    "AL": ("Alabama", "Ala"),
    "AK": ("Alaska", "Alas"),
    "AZ": ("Arizona", "Ariz"),
    "AR": ("Arkansas", "Ark"),
    "CA": ("California", "Calif", "Cal", "Cali"),
    "CO": ("Colorado", "Colo"),
    "CT": ("Connecticut", "Conn"),
    "DE": ("Delaware", "Del"),
    "DC": ("District of Columbia", "Dist of Columbia", "Washington DC", "Washington, District of Columbia", "Wash DC"),
    "FL": ("Florida", "Fla", "Flor"),
    "GA": ("Georgia",),
    "HI": ("Hawaii", "Hawaiian Islands"),
    "ID": ("Idaho", "Ida"),
    "IL": ("Illinois", "Ill", "Ills"),
    "IN": ("Indiana", "Ind"),
    "IA": ("Iowa",),
    "KS": ("Kansas", "Kan", "Kans"),
    "KY": ("Kentucky", "Kent"),
    "LA": ("Louisiana",),
    "ME": ("Maine",),
    "MD": ("Maryland",),
    "MA": ("Massachusetts", "Mass"),
    "MI": ("Michigan", "Mich"),
    "MN": ("Minnesota", "Minn"),
    "MS": ("Mississippi", "Miss"),
    "MO": ("Missouri",),
    "MT": ("Montana", "Mont"),
    "NE": ("Nebraska", "Neb", "Nebr"),
    "NV": ("Nevada", "Nev"),
    "NH": ("New Hampshire", "N Hampshire", "N Hamp", "N H"),
    "NJ": ("New Jersey", "N Jersey", "N J"),
    "NM": ("New Mexico", "N Mexico", "N Mex", "New Mex", "N M"),
    "NY": ("New York", "N York", "N Y"),
    "NC": ("North Carolina", "N Carolina", "No Carolina", "North Car", "N Car", "N C"),
    "ND": ("North Dakota", "N Dakota", "No Dakota", "North Dak", "N Dak", "No Dak", "N D"),
    "OH": ("Ohio",),
    "OK": ("Oklahoma", "Okla"),
    "OR": ("Oregon", "Ore", "Oreg"),
    "PA": ("Pennsylvania", "Penn", "Penna"),
    "RI": ("Rhode Island", "Rhode Is", "Rhode Island and Providence Plantations", "R I"),
    "SC": ("South Carolina", "S Carolina", "So Carolina", "South Car", "S Car", "S C"),
    "SD": ("South Dakota", "S Dakota", "So Dakota", "South Dak", "S Dak", "So Dak", "S D"),
    "TN": ("Tennessee", "Tenn"),
    "TX": ("Texas", "Tex"),
    "UT": ("Utah",),
    "VT": ("Vermont",),
    "VA": ("Virginia", "Virg"),
    "WA": ("Washington", "Wash"),
    "WV": ("West Virginia", "W Virginia", "West Va", "W Va", "W Virg", "W V"),
    "WI": ("Wisconsin", "Wis", "Wisc"),
    "WY": ("Wyoming", "Wyo"),
    "AS": ("American Samoa", "Amer Samoa"),
    "FM": ("Micronesia", "Federated States of Micronesia", "Micronesia, Federated States of", "FSM"),
    "GU": ("Guam",),
    "MH": ("Marshall Islands", "Republic of the Marshall Islands", "RMI"),
    "MP": (
        *("Saipan", "Northern Mariana Islands", "Northern Mariana Island", "Northern Marianas", "Mariana Islands"),
        *("N Mariana Islands", "Commonwealth of the Northern Mariana Islands", "CNMI"),
    ),
    "PR": ("Puerto Rico", "Porto Rico", "P Rico", "P R"),
    "PW": ("Palau", "Republic of Palau"),
    "UM": ("United States Minor Outlying Islands", "US Minor Outlying Islands", "Minor Outlying Islands"),
    "VI": (
        *("Virgin Islands", "US Virgin Islands", "United States Virgin Islands", "Virgin Islands of the US"),
        *("Virgin Islands of the United States", "American Virgin Islands", "USVI", "V I"),
    ),
    "AA": (),
    "AE": (),
    "AP": (),
}
"""Names by two-letter code; those of the military regions follow from ``_MILITARY``."""

_MILITARY = {
    "AA": ("America", "Americas", "Americas (except Canada)", "Americas excluding Canada", "Central and South America"),
    "AE": tuple(
        " ".join(regions)
        for count in range(1, 5)
        for regions in permutations(("Africa", "Canada", "Europe", "Middle East"), count)
    ),
    "AP": ("Pacific",),
}
_FORCES = ("Armed Forces", "US Armed Forces", "Military")
_POST_OFFICES = ("APO", "FPO", "DPO", "APO FPO", "APO FPO DPO")


def us_state(name: str) -> str:
    """Return the two-letter code of a US state, district, territory, or military region, or "" when it is none."""
    return state_codes().get(name_key(name), "")


@lru_cache(maxsize=1)
def state_codes() -> dict[str, str]:
    """Return the codes by the ``name_key`` of every name."""
    return {name_key(name): code for code in STATES for name in names_of(code)}


def names_of(code: str) -> Iterator[str]:
    """Yield the code, its names, and the ways in which people join them."""
    names = (*STATES[code], *_military_names(code))
    for name in (code, *names):
        yield from (name, f"US-{name}", f"{name}, USA", f"{name}, US")
    for name in names:
        yield from (f"{name} ({code})", f"{code} - {name}")
        yield from (f"State of {name}", f"{name} State", f"Commonwealth of {name}", f"Territory of {name}")


def _military_names(code: str) -> Iterator[str]:
    regions = _MILITARY.get(code, ())
    if regions:
        whole = chain(product(_FORCES, (*regions, code)), product(_POST_OFFICES, (code,)))
        yield from (" ".join(parts) for parts in whole)
        yield from (f"{code} {forces}" for forces in _FORCES)
