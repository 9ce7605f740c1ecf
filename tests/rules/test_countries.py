"""Country codes that ISO 3166-1 assigns, and two that it doesn't."""

from __future__ import annotations

import string
from itertools import product

import pycountry
import pytest

from portal.rules.countries import country


def test_only_assigned_codes_and_kosovo_are_countries() -> None:
    every = {"".join(letters) for letters in product(string.ascii_uppercase, repeat=2)}
    assigned = {one.alpha_2 for one in pycountry.countries}
    assert {code for code in every if country(code)} == assigned | {"XK", "UK"}
    assert {code for code in assigned if country(code) != code} == set()


@pytest.mark.parametrize("typed", ["UK", "uk", " Uk ", "U\u200bK", "gb\n"])
def test_uk_is_gb(typed: str) -> None:
    assert country(typed) == "GB"
