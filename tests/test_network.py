"""How rate limits group addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import network
from portal.models.account import merchant_id_in
from portal.models.base import MAX_ID


@pytest.mark.parametrize(
    ("address", "host", "whole"),
    [
        ("198.51.100.7", "198.51.100.7/32", "198.51.100.0/24"),
        ("::ffff:198.51.100.7", "198.51.100.7/32", "198.51.100.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_addresses_of_one_party_are_one(address: str | None, host: str, whole: str) -> None:
    assert (network.host(address), network.network(address)) == (host, whole)


@given(st.text())
def test_any_text_has_a_network(address: str) -> None:
    assert network.host(address)
    assert network.network(address)


@given(st.integers(1, MAX_ID), st.integers(0, 20), st.sampled_from("0\u0660\u0966\uff10"))
def test_merchant_id_is_one_number_in_every_spelling(number: int, zeros: int, zero: str) -> None:
    spelled = zero * zeros + "".join(chr(ord(zero) + int(digit)) for digit in str(number))
    assert merchant_id_in(f" {spelled}\n") == number


@pytest.mark.parametrize(
    "text", ["", "0", "-3", "+817", "8_17", "8 17", "81.7", "x", "\u00b2", str(MAX_ID + 1), "9" * 5000]
)
def test_anything_else_is_no_merchant_id(text: str) -> None:
    assert merchant_id_in(text) is None
