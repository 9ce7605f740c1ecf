"""Shipping codes by country, and two-letter codes of US states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.shipping import US_TERRITORIES, ShippingCode, shipping_code, us_state_code
from tests.rules.texts import any_text


@pytest.mark.parametrize("territories_domestic", [False, True])
@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("US", ShippingCode.DOMESTIC_DEFAULT),
        ("us ", ShippingCode.DOMESTIC_DEFAULT),
        ("CA", ShippingCode.INTERNATIONAL_DEFAULT),
        ("GB", ShippingCode.INTERNATIONAL_DEFAULT),
        ("UK", ShippingCode.INTERNATIONAL_DEFAULT),
        ("USA", ShippingCode.INTERNATIONAL_DEFAULT),
        ("", ShippingCode.INTERNATIONAL_DEFAULT),
    ],
)
def test_only_the_us_is_domestic(country: str, code: ShippingCode, territories_domestic: bool) -> None:
    assert shipping_code(country, territories_domestic=territories_domestic) is code


@pytest.mark.parametrize("territory", ["PR", "GU", "VI", "AS", "MP", "UM", "MH", "FM", "PW"])
def test_territories_follow_the_setting(territory: str) -> None:
    assert territory in US_TERRITORIES
    assert shipping_code(territory, territories_domestic=False) is ShippingCode.INTERNATIONAL_DEFAULT
    assert shipping_code(territory, territories_domestic=True) is ShippingCode.DOMESTIC_DEFAULT


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("UT", "UT"),
        ("ut", "UT"),
        ("Utah", "UT"),
        (" NEW  york ", "NY"),
        ("District of Columbia", "DC"),
        ("D.C.", "DC"),
        ("Washington, D.C.", "DC"),
        ("Washington", "WA"),
        ("US-CA", "CA"),
        ("Puerto Rico", "PR"),
        ("Armed Forces Europe", "AE"),
        ("AP", "AP"),
        ("Utahh", "Utahh"),
        ("XX", "XX"),
        ("Île-de-France", "Île-de-France"),
        ("", ""),
    ],
)
def test_recognized_states_become_two_letters(written: str, sent: str) -> None:
    assert us_state_code(written) == sent


@given(any_text, any_text, st.booleans())
def test_any_country_and_state_text_is_accepted(country: str, state: str, territories_domestic: bool) -> None:
    shipping_code(country, territories_domestic=territories_domestic)
    code = us_state_code(state)
    assert code == state or (len(code) == 2 and code.isupper())
