"""What people type finds the orders that they mean, however it is spelled."""
# ruff: noqa: RUF001 - letters and dashes that look like others are what this is about

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.search_words import LONGEST_WORD, MOST_STORED, order_words, read_query, words

ORDER = order_words(
    "HAXB-286540",
    skus=["SHIRT-X-LARGE", "Tea Towel 2"],
    tracking_numbers=["9400 1000 0000 0000 0000 00", "1Z999AA10123456784"],
    buyers=[("Jean-Luc  María", "O’Hara Muñoz", "Jean.Luc@Example.com")],
).split()
IDEOGRAPHS = order_words("HAXB-286541", buyers=[("小明", "王", "")]).split()
OTHERS = {
    "Greek": "Ελένη",
    "Cyrillic": "Фёдор",
    "Hebrew": "מרים",
    "Arabic": "مُحَمَّد",
    "Hindi": "मीना",
    "Korean": "김민수",
}


@pytest.mark.parametrize(
    "typed",
    [
        "HAXB-286540", "#haxb-286540", "haxb286540", "haxb 286540", "HAXB–286540", "haxb−286540", "286540", "2865",
        "munoz", "MUÑOZ", "mun", "ohara", "o'hara", "O’HARA", "hara", "jean", "jean-luc", "maria munoz", "Munoz Maria",
        "jean.luc@example.com", "JEAN.LUC@example", "luc",
        "9400100000000000000000", "9400 1000 0000 0000 0000 00", "9400-1000", "1z 999 aa1 01 2345 6784",
        "shirt-x-large", "SHIRT", "tea towel", "ｍｕｎｏｚ", "mu\u00adnoz", "\u200emunoz\u200f", "munoz,maria",
    ],
)  # fmt: skip
def test_an_order_is_found_by(typed: str) -> None:
    assert read_query(typed).matches(ORDER)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-",
        "#",
        "\u200b",
        "86540",
        "noz",
        "mu",
        "munoz smith",
        "haxb-286541",
        "jean.lux@example.com",
        "'",
        "\\",
    ],
)
def test_an_order_is_not_found_by(typed: str) -> None:
    assert not read_query(typed).matches(ORDER)


@pytest.mark.parametrize("typed", ["王小明", "小明", "王", "王 小明", "小明 王", "小"])
def test_names_without_blanks_are_found(typed: str) -> None:
    assert read_query(typed).matches(IDEOGRAPHS)


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS)
def test_names_in_other_scripts_are_found(name: str) -> None:
    stored = order_words("HAXB-286542", buyers=[("", name, "")]).split()
    assert read_query(name).matches(stored)
    assert read_query(name.upper()).matches(stored)
    assert not read_query(name[::-1]).matches(stored)


def test_letters_without_a_mark_are_as_people_type_them() -> None:
    assert words("Søren Łukasz Æsa Straße İlknur ışık") == ["soren", "lukasz", "aesa", "strasse", "ilknur", "isik"]


def test_a_short_word_is_found_only_as_a_whole() -> None:
    assert read_query("ng").matches(order_words("A-1", buyers=[("", "Ng", "")]).split())
    assert not read_query("ng").matches(order_words("A-1", buyers=[("", "Nguyen", "")]).split())


@given(st.text(), st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_stored_words_have_only_what_is_searched(first: str, last: str, email: str, skus: list[str]) -> None:
    stored = order_words("HAXB-1", buyers=[(first, last, email)], skus=skus)
    for word in stored.split(" "):
        assert 0 < len(word) <= LONGEST_WORD
        assert not set(word) & set("'\\%_:&|!()<>* \x00")
    assert len(stored.split(" ")) == len(set(stored.split(" "))) <= MOST_STORED


@given(st.text(min_size=1, max_size=40))
def test_every_word_of_a_name_finds_it(name: str) -> None:
    stored = order_words("HAXB-1", buyers=[("", name, "")]).split()
    for word in name.split():
        query = read_query(word)
        assert query.matches(stored) or not query.words


@given(st.text(max_size=60))
def test_spelling_does_not_matter(text: str) -> None:
    assert words(text) == words(f"\u200b{text}\u200f")
    assert words(" ".join(words(text))) == words(text)
    assert [words(word)[0][:LONGEST_WORD] for word in read_query(text).words] == list(read_query(text).words)
