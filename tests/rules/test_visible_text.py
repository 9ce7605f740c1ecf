"""The visible text of a description."""

from __future__ import annotations

import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings

from portal.rules.visible_text import MAX_DESCRIPTION, clean, is_readable, visible_text
from tests.rules.texts import BREAKS, INVISIBLE, SPACES, any_text, descriptions, is_invisible

# Format characters with a glyph of their own (Unicode: Prepended_Concatenation_Mark, Syriac abbreviation mark).
# They are visible, so they stay in the text, and a SKU that contains one stops the order.
HAVE_A_GLYPH = {
    *map(chr, range(0x0600, 0x0606)), "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2", "\U000110bd", "\U000110cd",
}  # fmt: skip


@pytest.mark.parametrize(
    ("description", "seen"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a < b & c > d", "a < b & c > d"),
        ("1 line\r\n2 line\n\n\n3 line", "1 line\n2 line\n3 line"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<p>one</p>\n\n<p>two</p>", "one\ntwo"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<table><tr><td>one</td><td>two</td></tr></table>", "one\ntwo"),
        ("one<div>two</div>three", "one\ntwo\nthree"),
        ("<b>one</b> <i>t</i>wo<span>!</span>", "one two!"),
        ("<span style='color:red; DISPLAY : Block'>one</span>two", "one\ntwo"),
        ("R&amp;D &copy; &#65;&#x42; &lt;b&gt;", "R&D © AB <b>"),
        ("one&nbsp;&emsp;&thinsp;two", "one two"),
        ("so&shy;ft&#8203;ly&zwnj;", "softly"),
        ("one<!-- not -->two<!bogus>three<?php no ?>", "onetwothree"),
        ("one<script>no</script><style>no</style><noscript>no</noscript>two", "onetwo"),
        ("one<template>no</template><iframe>no</iframe><title>no</title>two", "onetwo"),
        ("<svg><title>no</title><text>one</text></svg>", "one"),
        ("one<b hidden>no<i>no</i></b>two", "onetwo"),
        ("one<b HIDDEN=''>no</b><b data-hidden=1>two</b>", "onetwo"),
        ("one<b style='display:none'>no</b>two", "onetwo"),
        ("one<b style='color:red;display : none !important'>no</b>two", "onetwo"),
        ("one<b style='visibility:hidden'>no</b><b style='opacity:0.0'>no</b>two", "onetwo"),
        ("one<b style='font-size:0px'>no</b><b style='font-size:0.5em'>two</b>", "onetwo"),
        ("one<b style='opacity:0.9'>two</b>", "onetwo"),
        ("<dialog>no</dialog><dialog open>yes</dialog>", "yes"),
        ("<img alt='no' src=x>one<input value='no'>", "one"),
        ("<textarea>one</textarea><plaintext>two<b>", "one\ntwo<b>"),
        ("one</body></html>two", "onetwo"),
        ("<frameset><frame></frameset>one", "one"),
        ("<head><title>no</title></head>one", "one"),
        ("one<b", "one"),
        ("\ud800one<b>\udfff</b>", "\ufffdone\ufffd"),
        ("\x00o\x00ne<b>t\x00wo</b>", "onetwo"),
    ],
)
def test_visible_text_is_what_a_person_sees(description: str, seen: str) -> None:
    assert visible_text(description) == seen


@pytest.mark.parametrize("between", INVISIBLE)
def test_invisible_characters_are_removed(between: str) -> None:
    assert clean(f"{between}A{between}B{between}") == "AB"
    assert visible_text(f"<b>A</b>{between}B") == "AB"


@pytest.mark.parametrize("space", SPACES)
def test_every_space_becomes_a_plain_one(space: str) -> None:
    assert clean(f"{space}A{space}B{space}") == "A B"


@pytest.mark.parametrize("line_break", BREAKS)
def test_every_line_break_becomes_a_newline(line_break: str) -> None:
    assert clean(f"{line_break}A{line_break}B{line_break}") == "A\nB"


def test_no_invisible_unicode_character_remains() -> None:
    every = map(chr, range(sys.maxunicode + 1))
    unseen = "A".join(character for character in every if is_invisible(character))
    left = {character for character in clean(unseen) if is_invisible(character)} - {"\n"}
    drawn = {character for character in left if unicodedata.category(character) not in {"Cn", "Co"}}
    assert drawn == HAVE_A_GLYPH


@given(any_text)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@settings(max_examples=400)
@given(descriptions)
def test_any_description_becomes_clean_text(description: str) -> None:
    seen = visible_text(description)
    assert not {"\x00", "\r", "\t", "\xa0", "\xad", "\u200b", "\u202e"} & set(seen)
    assert seen == seen.strip()
    assert "  " not in seen


NESTED = 10_000
LONG = {
    "spaces": " " * MAX_DESCRIPTION,
    "spaces and breaks": " \n" * (MAX_DESCRIPTION // 2),
    "a megabyte": "x " * 500_000,
    "open blocks": "<div>" * NESTED + "A",
    "open formatting": "<b>" * NESTED + "A",
    "blocks": "<div>" * 9_000 + "A" + "</div>" * 9_000,
    "reopened formatting": "<p>" + "".join(f"<b a{n}>" for n in range(3_000)) + "<p>A" * 3_000,
    "attributes": "<b " + " ".join(f"a{n}" for n in range(NESTED)) + ">A",
    "zeros in a style": f"<b style='opacity:{'0' * 90_000}x'>A",
    "semicolons in a style": f"<b style='{';' * 90_000}'>A",
    "open comments": "<!--" * 20_000,
    "ampersands": "&" * MAX_DESCRIPTION,
    "accents": "\u0300\u0323" * 50_000,
}


@pytest.mark.parametrize("description", LONG.values(), ids=LONG.keys())
def test_no_description_takes_more_than_two_seconds(description: str) -> None:
    start = time.process_time()
    visible_text(description)
    assert time.process_time() - start < 2


def test_deeply_nested_text_is_read() -> None:
    assert visible_text("<div>" * NESTED + "A") == "A"
    assert visible_text("<b>" * NESTED + "A" + "</b>" * NESTED) == "A"


def test_description_that_is_too_long_is_not_read() -> None:
    assert visible_text("x" * MAX_DESCRIPTION) == "x" * MAX_DESCRIPTION
    assert not is_readable("x" * (MAX_DESCRIPTION + 1))
    assert visible_text("x" * (MAX_DESCRIPTION + 1)) == ""
