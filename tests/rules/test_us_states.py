"""US states, districts, territories and military regions, by name and by code, however they are typed."""

from __future__ import annotations

import pycountry
import pytest

from portal.rules.place_names import name_key
from portal.rules.shipping import us_state_code
from portal.rules.us_states import STATES, names_of, state_codes

NAMES = {
    "AL": ("Alabama",), "AK": ("Alaska",), "AZ": ("Arizona",), "AR": ("Arkansas",), "CA": ("California",),
    "CO": ("Colorado",), "CT": ("Connecticut",), "DE": ("Delaware",), "FL": ("Florida",), "GA": ("Georgia",),
    "HI": ("Hawaii",), "ID": ("Idaho",), "IL": ("Illinois",), "IN": ("Indiana",), "IA": ("Iowa",),
    "KS": ("Kansas",), "KY": ("Kentucky",), "LA": ("Louisiana",), "ME": ("Maine",), "MD": ("Maryland",),
    "MA": ("Massachusetts",), "MI": ("Michigan",), "MN": ("Minnesota",), "MS": ("Mississippi",),
    "MO": ("Missouri",), "MT": ("Montana",), "NE": ("Nebraska",), "NV": ("Nevada",), "NH": ("New Hampshire",),
    "NJ": ("New Jersey",), "NM": ("New Mexico",), "NY": ("New York",), "NC": ("North Carolina",),
    "ND": ("North Dakota",), "OH": ("Ohio",), "OK": ("Oklahoma",), "OR": ("Oregon",), "PA": ("Pennsylvania",),
    "RI": ("Rhode Island",), "SC": ("South Carolina",), "SD": ("South Dakota",), "TN": ("Tennessee",),
    "TX": ("Texas",), "UT": ("Utah",), "VT": ("Vermont",), "VA": ("Virginia",), "WA": ("Washington",),
    "WV": ("West Virginia",), "WI": ("Wisconsin",), "WY": ("Wyoming",),
    "DC": ("District of Columbia", "Washington DC", "Washington, D.C."),
    "AS": ("American Samoa",), "GU": ("Guam",), "PR": ("Puerto Rico",), "PW": ("Palau",),
    "MP": ("Northern Mariana Islands", "Commonwealth of the Northern Mariana Islands", "CNMI"),
    "FM": ("Federated States of Micronesia", "Micronesia"),
    "MH": ("Marshall Islands", "Republic of the Marshall Islands"),
    "UM": ("United States Minor Outlying Islands",),
    "VI": ("Virgin Islands", "US Virgin Islands", "U.S. Virgin Islands", "Virgin Islands, U.S.",
           "Virgin Islands of the U.S."),
    "AA": ("Armed Forces Americas", "Armed Forces the Americas", "Armed Forces Americas (except Canada)"),
    "AE": ("Armed Forces Africa", "Armed Forces Canada", "Armed Forces Europe", "Armed Forces Middle East",
           "Armed Forces Europe, the Middle East, and Canada", "Armed Forces Africa, Canada, Europe and Middle East"),
    "AP": ("Armed Forces Pacific",),
}  # fmt: skip
"""The names in USPS Publication 28, appendix B, and other names people use."""

SHORTER = {
    "CA": ("Calif.", "California, USA", "Cali"),
    "MA": ("Mass.", "Commonwealth of Massachusetts"), "PA": ("Penna.", "Penn"),
    "WA": ("Wash.", "Washington State", "State of Washington"), "NY": ("N. Y.", "New York State", "N.Y., USA"),
    "WV": ("W. Va.", "W Virginia"), "NC": ("N. Carolina", "No. Carolina"), "DC": ("Wash. D.C.", "D C"),
    "TX": ("Texas (TX)", "TX - Texas", "\uff34\uff38"), "HI": ("Hawai\u02bbi", "Hawai'i"), "CT": ("Conn.",),
    "AE": ("APO AE", "APO/FPO AE", "Armed Forces (AE)", "Armed Forces - AE", "AE - Armed Forces"),
    "AP": ("FPO, AP", "DPO AP"), "MP": ("Saipan",),
    "VI": ("USVI", "U.S.V.I."), "PR": ("P.R.", "Porto Rico"),
    "RI": ("Rhode-Island", "Rhode Is."), "NH": ("New-Hampshire",),
}  # fmt: skip
"""Shorter and longer forms that people write."""

EVERY_NAME = [(name, code) for table in (NAMES, SHORTER) for code, names in table.items() for name in names]


def _as_typed(text: str) -> tuple[str, ...]:
    return (text, text.upper(), text.lower(), text.title(), f"  {text}\t", text.replace(" ", "  "), f"{text}.")


@pytest.mark.parametrize(("name", "code"), EVERY_NAME)
def test_name_becomes_its_two_letter_code(name: str, code: str) -> None:
    assert {typed: us_state_code(typed) for typed in _as_typed(name)} == dict.fromkeys(_as_typed(name), code)


@pytest.mark.parametrize("code", NAMES)
def test_code_is_kept(code: str) -> None:
    ways = (*_as_typed(code), f"US-{code}", f"us-{code.lower()}", f" US-{code} ", f"{code[0]}.{code[1]}.")

    assert {typed: us_state_code(typed) for typed in ways} == dict.fromkeys(ways, code)


def test_table_of_names_is_complete() -> None:
    known = {one.code.removeprefix("US-") for one in pycountry.subdivisions if one.country_code == "US"}

    assert known | {"AA", "AE", "AP", "FM", "MH", "PW"} == set(NAMES) == set(STATES)


def test_every_key_of_the_table_is_normalized_as_the_input_is() -> None:
    assert {key: name_key(key) for key in state_codes()} == {key: key for key in state_codes()}
    assert {key: us_state_code(key) for key in state_codes()} == state_codes()


def test_no_name_means_two_states() -> None:
    for code in STATES:
        assert {name: us_state_code(name) for name in names_of(code)} == dict.fromkeys(names_of(code), code)
