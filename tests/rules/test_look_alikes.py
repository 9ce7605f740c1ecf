"""A SKU with a character that only looks like a plain one stops the order, and the character is named."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.look_alikes import look_alikes
from portal.rules.sku import SkuProblemCode, read_sku, sku_by_hand, sku_for

LOOK_ALIKES = {
    "\u2010": "hyphen (U+2010)",
    "\u2011": "non-breaking hyphen (U+2011)",
    "\u2013": "en dash (U+2013)",
    "\u2014": "em dash (U+2014)",
    "\u2212": "minus sign (U+2212)",
    "\uff0d": "fullwidth hyphen-minus (U+FF0D)",
    "\ufe63": "small hyphen-minus (U+FE63)",
    "\u2043": "hyphen bullet (U+2043)",
    "\xa0": "no-break space (U+00A0)",
    "\u2009": "thin space (U+2009)",
    "\u202f": "narrow no-break space (U+202F)",
    "\u3000": "ideographic space (U+3000)",
    "\u2800": "braille pattern blank (U+2800)",
    "\uff33": "fullwidth latin capital letter s (U+FF33)",
    "\uff11": "fullwidth digit one (U+FF11)",
    "\U0001d400": "mathematical bold capital a (U+1D400)",
    "\xb2": "superscript two (U+00B2)",
    "\uff3f": "fullwidth low line (U+FF3F)",
    "\u2019": "right single quotation mark (U+2019)",
    "\u2044": "fraction slash (U+2044)",
    "\u2024": "one dot leader (U+2024)",
    "\u2500": "box drawings light horizontal (U+2500)",
    "\xaf": "macron (U+00AF)",
    "\u2215": "division slash (U+2215)",
}


@pytest.mark.parametrize(("character", "name"), LOOK_ALIKES.items())
def test_look_alike_stops_the_order_and_is_named(character: str, name: str) -> None:
    for sku, problems in (
        read_sku(f"Soft. SKU:A{character}1"),
        read_sku(f"<p>Soft. SKU:A&#{ord(character)};1</p>"),
        sku_for("SKU:A-", f"S{character}M", has_options=True),
    ):
        assert (sku, [one.code for one in problems if one.stops]) == ("", [SkuProblemCode.LOOK_ALIKES])
        assert name in problems[0].sentence


@pytest.mark.parametrize("letter", ["\u30fc", "\uff70", "\u3161", "\u4e00"])
def test_east_asian_letter_passes_for_a_hyphen_only_between_plain_characters(letter: str) -> None:
    assert look_alikes(f"TEE{letter}01") == (letter,)
    assert letter == "\uff70" or look_alikes(f"\u30dd\u30b9\u30bf{letter}01") == ()


@pytest.mark.parametrize("space", ["\xa0", "\u2009", "\u3000", "&nbsp;"])
def test_special_space_around_the_sku_does_not_matter(space: str) -> None:
    assert read_sku(f"Soft.{space}SKU:{space} A-1 {space}") == ("A-1", ())


def test_several_look_alikes_are_named_once_each() -> None:
    _, [problem] = read_sku("SKU:A\u20131\u20132\u2212\u2011\u2014")
    assert "en dash (U+2013) and minus sign (U+2212) and non-breaking hyphen (U+2011) and more" in problem.sentence


def test_sku_that_a_person_entered_is_taken_as_typed() -> None:
    sku, [warning] = sku_by_hand("A\u20131", None, has_options=False)
    assert (sku, warning.code, warning.stops) == ("A\u20131", SkuProblemCode.LOOK_ALIKES, False)
    assert sku_by_hand("A-", "S\u2013M", has_options=True)[0] == ""


@pytest.mark.parametrize("sku", ["É-1", "名-1", "ПАЛЬТО-1", "コーヒー", "SHIRT-½", "naïve_2"])
def test_other_letters_and_signs_are_no_look_alikes(sku: str) -> None:
    found, problems = read_sku(f"SKU:{sku}")
    assert (found, [one.code for one in problems]) == (sku, [])


def test_letters_of_another_alphabet_are_worth_a_look() -> None:
    sku, [warning] = read_sku("SKU:SHI\u0420T")
    assert (sku, warning.stops) == ("SHI\u0420T", False)
    assert "cyrillic capital letter er (U+0420)" in warning.sentence


@given(st.characters())
def test_plain_characters_and_their_accented_forms_are_no_look_alikes(character: str) -> None:
    is_itself = unicodedata.normalize("NFKC", character) == character
    if character.isascii() or (is_itself and character.isalnum()):
        assert look_alikes(character) == ()
