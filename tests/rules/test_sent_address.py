"""What the warehouse gets of the texts that buyers type."""

# ruff: noqa: RUF001 - buyers write in other scripts
from __future__ import annotations

import unicodedata
from dataclasses import asdict, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.clients.bigcartel import BigCartelAddress
from portal.rules.sent_address import sent_address
from tests.rules.complete_order import ADDRESS
from tests.rules.texts import INVISIBLE, SPACES, any_text, is_invisible


@pytest.mark.parametrize(
    ("field", "typed", "sent"),
    [
        ("phone", "\u202a+1 (555) 010-0199\u202c", "+1 (555) 010-0199"),
        ("zip", "49684\u200b", "49684"),
        ("address_2", "(none)", ""),
        ("address_2", "&nbsp;", ""),
        ("zip", "496\u200d84", "49684"),
        ("state", "MI\u200b", "MI"),
        ("state", "M\u200dichigan", "MI"),
        ("last_name", "كريم", "كريم"),
        ("first_name", "\u200fدانا\u200f", "دانا"),
        ("address_1", "Soft\u00adhyphen Str. 5", "Softhyphen Str. 5"),
        ("last_name", "\ufeffByron", "Byron"),
        ("first_name", "\u202eevil", "evil"),
        ("first_name", "Jose\u0301", "José"),
        ("first_name", "Jose\u200b\u0301", "José"),
        ("email", "a\u200bda@example.com ", "ada@example.com"),
        ("email", "a\u200cda @ example.com", "ada@example.com"),
        ("last_name", "می\u200cخواهم", "می\u200cخواهم"),
        ("last_name", "क्\u200dष", "क्\u200dष"),
        ("last_name", "ක්\u200dෂ\u200d", "ක්\u200dෂ"),
        ("last_name", "می\u200e\u200cخواهم", "می\u200cخواهم"),
        ("last_name", "\u200dLee \u200c", "Lee"),
        ("city", "New\u2003\u3000York\n", "New York"),
        ("address_2", "Flat 2 \U000e0041\ufe0f", "Flat 2"),
        ("address_2", "\u2066Flat\u2069 2", "Flat 2"),
        ("address_2", "n/a", ""),
        ("address_2", "-", ""),
        ("address_2", "None", ""),
        ("address_2", "B", "B"),
        ("phone", "N/A", ""),
        ("phone", "-", ""),
        ("first_name", ".", ""),
        ("first_name", "\u3164", ""),
        ("email", "none", ""),
    ],
)
def test_field_is_sent_as_a_person_sees_it(field: str, typed: str, sent: str) -> None:
    assert asdict(sent_address(replace(ADDRESS, **{field: typed})))[field] == sent


def test_second_line_takes_the_place_of_a_placeholder() -> None:
    sent = sent_address(replace(ADDRESS, address_1=".", address_2="2 Rear Lane"))
    assert (sent.address_1, sent.address_2) == ("2 Rear Lane", "")


@pytest.mark.parametrize("unit", ["Apt 4", "#12", "Unit 3", "2nd floor", "Suite 100"])
def test_part_of_a_building_does_not_become_the_street(unit: str) -> None:
    sent = sent_address(replace(ADDRESS, address_1="-", address_2=unit))
    assert (sent.address_1, sent.address_2) == ("", unit)


_PIECES = st.sampled_from([*INVISIBLE, *SPACES, "\r\n", "a", "é", "e\u0301", "-", "1", "ي", "क्", "❤", "한"])


@example(["", "", "", "a", "", "", "", "", "", ""])
@given(st.lists(st.lists(_PIECES | any_text, max_size=8).map("".join), min_size=10, max_size=10))
def test_no_field_has_an_invisible_character_and_cleaning_twice_changes_nothing(texts: list[str]) -> None:
    first, last, street, second, city, state, postal_code, country, phone, email = texts
    sent = sent_address(
        BigCartelAddress(first, last, street, second, city, state, postal_code, country, "", phone, email)
    )
    for name, text in asdict(sent).items():
        assert unicodedata.is_normalized("NFC", text)
        assert text == " ".join(text.split(" "))
        for place, character in enumerate(text):
            if character in "\u200c\u200d":
                assert name not in {"zip", "phone", "email", "country_code"}
                assert unicodedata.category(text[place - 1])[0] in "LM"
                assert unicodedata.category(text[place + 1])[0] in "LM"
            elif unicodedata.category(character) not in {"Co", "Cn"} and not _has_glyph(character):
                assert not is_invisible(character)
    assert sent_address(sent) == sent


def _has_glyph(character: str) -> bool:
    """Return whether it is one of the format characters that Unicode draws, such as the Arabic number sign."""
    code = ord(character)
    return 0x600 <= code <= 0x605 or code in {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
