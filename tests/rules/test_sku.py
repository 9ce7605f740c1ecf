"""Reading the SKU from a product description, and the wording of its problems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.rules.sku import (
    MAX_SKU,
    SkuProblemCode,
    duplicate_skus,
    option_text,
    problem,
    read_sku,
    sku_by_hand,
    sku_for,
)
from portal.rules.visible_text import MAX_DESCRIPTION
from tests.rules.texts import BREAKS, INVISIBLE, any_text, descriptions, is_invisible

PAYLOADS = Path(__file__).parent.parent / "payloads"


@pytest.mark.parametrize(
    ("description", "sku"),
    [
        ("SKU:SHIRT-", "SHIRT-"),
        ("Soft cotton shirt.\r\n\r\nSKU:SHIRT-", "SHIRT-"),
        ("Soft cotton shirt. SKU:SHIRT-", "SHIRT-"),
        ("SKU: \t SHIRT-  ", "SHIRT-"),
        ("SKU:\nSHIRT-\n\n", "SHIRT-"),
        ("<p>Soft.</p><p>SKU:SHIRT-</p><p><br></p>", "SHIRT-"),
        ("<p>Soft.</p><p><strong>SKU:</strong> SHIRT-</p>", "SHIRT-"),
        ("SK<b>U</b>:<i>SHI</i>RT-<br />", "SHIRT-"),
        ("<table><tr><th>SKU:</th><td>SHIRT-</td></tr></table>", "SHIRT-"),
        ("SKU:&nbsp;R&amp;D-1&nbsp;", "R&D-1"),
        ("SKU:R&D-1", "R&D-1"),
        ("SKU:\xa0SHIRT-\u200b", "SHIRT-"),
        ("S\u200bKU\xad:SHI\u2060RT-", "SHIRT-"),
        ("SKU:<!-- old: MUG -->SHIRT-<script>track()</script>", "SHIRT-"),
        ("<b hidden>SKU:MUG</b>SKU:SHIRT-", "SHIRT-"),
        ("<img alt='SKU:MUG'>SKU:SHIRT-", "SHIRT-"),
        ("SKU:CAFE\u0301-1", "CAFÉ-1"),
        ("SKU:名札-1", "名札-1"),
        ("SKU:" + "A" * MAX_SKU, "A" * MAX_SKU),
        ("sku: see below. SKU:SHIRT-", "SHIRT-"),
        ("SKU:<div>" * 1 + "<div>" * 10_000 + "SHIRT-", "SHIRT-"),
    ],
)
def test_sku_is_the_visible_text_after_the_marker(description: str, sku: str) -> None:
    assert read_sku(description) == (sku, ())


@pytest.mark.parametrize(
    ("description", "code", "expected"),
    [
        ("", SkuProblemCode.NO_MARKER, "has no SKU"),
        ("Soft cotton shirt.", SkuProblemCode.NO_MARKER, "Add “SKU:”"),
        ("Risku: one of a kind", SkuProblemCode.NO_MARKER, "Add “SKU:”"),
        ("<!-- SKU:SHIRT- --><b title='SKU:SHIRT-'>x</b>", SkuProblemCode.NO_MARKER, "Add “SKU:”"),
        ("sku:SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “sku:”"),
        ("Sku: SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “Sku:”"),
        ("SKU :SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU :”"),
        ("SKU&nbsp;: SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU :”"),
        ("SKU<br>: SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU :”"),
        ("SKU\uff1aSHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU\uff1a”"),
        ("\uff33\uff2b\uff35\uff1aSHIRT-", SkuProblemCode.OTHER_SPELLING, "has “\uff33\uff2b\uff35\uff1a”"),
        ("\u0405\u041aU:SHIRT-", SkuProblemCode.OTHER_SPELLING, "capital letters"),
        ("SKU;SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU;”"),
        ("SKU#SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU#”"),
        ("S.K.U.: SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “S.K.U.:”"),
        ("SKUs: SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKUs:”"),
        ("SKU Number: SHIRT-", SkuProblemCode.OTHER_SPELLING, "has “SKU Number:”"),
        ("SKU:", SkuProblemCode.NOTHING_AFTER, "right after it"),
        ("SKU:&nbsp;\u200b<br><p></p>", SkuProblemCode.NOTHING_AFTER, "right after it"),
        ("SKU:<img alt='SHIRT-'>", SkuProblemCode.NOTHING_AFTER, "right after it"),
        ("SKU:SHIRT-\nWash cold.", SkuProblemCode.LINE_BREAK, "“SHIRT-” is followed by “Wash cold.”"),
        ("SKU:SHIRT-<br>Wash cold.", SkuProblemCode.LINE_BREAK, "at the very end of the description"),
        ("<p>SKU:SHIRT-</p><p>Wash cold.</p>", SkuProblemCode.LINE_BREAK, "at the very end of the description"),
        ("<td>SKU:SHIRT-</td><div>Wash cold.", SkuProblemCode.LINE_BREAK, "at the very end of the description"),
        ("SKU:" + "A" * (MAX_SKU + 1), SkuProblemCode.TOO_LONG, "65 characters long"),
        ("SKU:A\ue000", SkuProblemCode.CHARACTERS, "U+E000"),
        ("SKU:A\u0378", SkuProblemCode.CHARACTERS, "U+0378"),
        ("SKU:A\u0600", SkuProblemCode.CHARACTERS, "U+0600"),
        ("SKU:A\ud800", SkuProblemCode.CHARACTERS, "type it again"),
        ("SKU:A&#0;", SkuProblemCode.CHARACTERS, "U+FFFD"),
        ("x" * (MAX_DESCRIPTION + 1) + "SKU:A", SkuProblemCode.DESCRIPTION_TOO_LONG, "plain text"),
        (
            "SKU:A" + "x" * MAX_DESCRIPTION,
            SkuProblemCode.DESCRIPTION_TOO_LONG,
            "as plain text in Big Cartel",
        ),
    ],
)
def test_problem_that_stops_an_order_says_how_to_fix_it(description: str, code: SkuProblemCode, expected: str) -> None:
    sku, problems = read_sku(description)
    assert sku == ""
    assert [(one.code, one.stops) for one in problems] == [(code, True)]
    assert expected in problems[0].sentence


@pytest.mark.parametrize("line_break", [*BREAKS, "<br>", "</div>", "<hr>", "<li>"])
def test_any_line_break_in_the_sku_stops_the_order(line_break: str) -> None:
    sku, problems = read_sku(f"<div>SKU:A{line_break}B")
    assert (sku, [one.code for one in problems]) == ("", [SkuProblemCode.LINE_BREAK])


@pytest.mark.parametrize("unseen", INVISIBLE)
def test_invisible_characters_are_ignored(unseen: str) -> None:
    assert read_sku(f"{unseen}S{unseen}KU{unseen}:{unseen}A{unseen}B{unseen}") == ("AB", ())


@pytest.mark.parametrize(
    ("description", "option", "sku", "codes"),
    [
        ("SKU:A B", "", "A B", [SkuProblemCode.SPACE]),
        ("SKU:A \t B", "", "A B", [SkuProblemCode.SPACE]),
        ("SKU:\u0410-1x", "", "\u0410-1x", [SkuProblemCode.OTHER_LETTERS]),
        ("SKU:A-", "X LARGE", "A-X LARGE", [SkuProblemCode.SPACE]),
        ("SKU:SKU:A", "", "SKU:A", [SkuProblemCode.SEVERAL_MARKERS]),
        ("SKU:A SKU:B", "", "A SKU:B", [SkuProblemCode.SEVERAL_MARKERS, SkuProblemCode.SPACE]),
        ("SKU:SHIRT", "SMALL", "SHIRTSMALL", [SkuProblemCode.NO_SEPARATOR]),
        ("SKU:SHIRT-", "", "SHIRT-", [SkuProblemCode.UNFINISHED]),
        ("SKU:SHIRT-", "SMALL", "SHIRT-SMALL", []),
        ("SKU:A_", "", "A_", [SkuProblemCode.UNFINISHED]),
    ],
)
def test_warnings_do_not_stop_the_order(description: str, option: str, sku: str, codes: list[SkuProblemCode]) -> None:
    found, problems = sku_for(description, option, has_options=bool(option))
    assert found == sku
    assert [(one.code, one.stops) for one in problems] == [(code, False) for code in codes]


@pytest.mark.parametrize(
    ("description", "option", "has_options", "sku"),
    [
        ("SKU:SHIRT-", "SMALL", True, "SHIRT-SMALL"),
        ("SKU:SHIRT-", "X-LARGE", True, "SHIRT-X-LARGE"),
        ("SKU:SHIRT", "-SMALL", True, "SHIRT-SMALL"),
        ("SKU:SHIRT- ", " SMALL\u200b ", True, "SHIRT-SMALL"),
        ("SKU:SHIRT-", "<M>", True, "SHIRT-<M>"),
        ("SKU:MUG", "", False, "MUG"),
        ("SKU:MUG", None, False, "MUG"),
        ("SKU:MUG", "Default", False, "MUG"),
        ("SKU:MUG", " dEFAULT\xa0", False, "MUG"),
        ("SKU:MUG-", "Default blue", True, "MUG-Default blue"),
        ("SKU:SHIRT-", "SMALL", False, "SHIRT-SMALL"),
        ("SKU:SHIRT-E", "\u0301", True, "SHIRT-É"),
    ],
)
def test_option_name_is_appended_unchanged(description: str, option: str | None, has_options: bool, sku: str) -> None:
    assert sku_for(description, option, has_options=has_options)[0] == sku


@pytest.mark.parametrize(
    ("description", "option", "code"),
    [
        ("SKU:SHIRT-", "", SkuProblemCode.OPTION_MISSING),
        ("SKU:SHIRT-", "Default", SkuProblemCode.OPTION_MISSING),
        ("SKU:SHIRT-", "A\nB", SkuProblemCode.LINE_BREAK),
        ("SKU:SHIRT-", "\ue000", SkuProblemCode.CHARACTERS),
        ("SKU:" + "A" * 60 + "-", "SMALL", SkuProblemCode.TOO_LONG),
        ("sku:SHIRT-", "SMALL", SkuProblemCode.OTHER_SPELLING),
    ],
)
def test_invalid_option_stops_the_order(description: str, option: str, code: SkuProblemCode) -> None:
    sku, problems = sku_for(description, option, has_options=True)
    assert sku == ""
    assert [one.code for one in problems if one.stops] == [code]


def test_override_gets_the_same_checks() -> None:
    assert sku_by_hand(" MUG\u200b-", "RED", has_options=True) == ("MUG-RED", ())
    sku, problems = sku_by_hand("A" * 65, None, has_options=False)
    assert (sku, problems[0].code) == ("", SkuProblemCode.TOO_LONG)


def test_duplicate_skus_list_everything_that_shares_them() -> None:
    skus = {("1", "11"): "A", ("1", "12"): "B", ("2", "21"): "A", ("3", "31"): "", ("4", "41"): ""}
    assert duplicate_skus(skus) == {"A": (("1", "11"), ("2", "21"))}
    assert "“A”" in problem(SkuProblemCode.SHARED, sku="A").sentence


@pytest.mark.parametrize("code", SkuProblemCode)
def test_every_problem_has_a_complete_sentence(code: SkuProblemCode) -> None:
    words: dict[str, object] = {"sku": "A", "first": "A", "rest": "B", "text": "A", "option": "B"}
    sentence = problem(code, found="x", stops=True, **words, length=65, limit=64).sentence
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert "!" not in sentence


def test_long_text_is_shortened_in_the_sentence() -> None:
    _, problems = read_sku("SKU:A\n" + "very long text " * 1000)
    assert len(problems[0].sentence) < 300


def test_documented_product_gives_the_documented_skus() -> None:
    path = PAYLOADS / "bigcartel_product_jsonapi.json"
    product = json.loads(path.read_text(encoding="utf-8"))
    description = product["data"]["attributes"]["description"]
    names = [option["attributes"]["name"] for option in product["included"]]
    skus = [sku_for(description, name, has_options=True)[0] for name in names]
    assert skus == ["SHIRT-SMALL", "SHIRT-X-LARGE"]


@settings(max_examples=600)
@given(
    st.one_of(descriptions, descriptions.map("SKU:{}".format)),
    st.one_of(st.none(), any_text, st.sampled_from(["", "Default", "SMALL", *INVISIBLE])),
    st.booleans(),
)
def test_no_text_raises_and_no_sku_has_invisible_characters(
    description: str, option: str | None, has_options: bool
) -> None:
    sku, problems = sku_for(description, option, has_options=has_options)
    by_hand, _ = sku_by_hand("X" + description, option, has_options=has_options)
    for one in (sku, by_hand):
        assert not [character for character in one if is_invisible(character)]
        assert one == one.strip()
        assert len(one) <= MAX_SKU
        one.encode()
    assert bool(sku) != any(found.stops for found in problems)
    for found in problems:
        found.sentence.encode()
        assert "\x00" not in found.sentence


@given(st.text("ABC123-_./é", min_size=1, max_size=20), st.text("SML-", min_size=1, max_size=10))
def test_valid_sku_is_read_as_written(text: str, option: str) -> None:
    assert sku_for(f"Nice.\n\nSKU:{text}", option, has_options=True)[0] == text + option_text(option)


@given(st.text(st.sampled_from("SKUsku :;.\u200b\n\xa0"), max_size=12))
def test_text_that_resembles_the_marker_is_not_the_marker(text: str) -> None:
    sku, problems = read_sku(f"{text} X")
    codes = {one.code for one in problems}
    seen = "".join(character for character in text if character != "\u200b")
    assert ("SKU:" in seen) == (not codes & {SkuProblemCode.NO_MARKER, SkuProblemCode.OTHER_SPELLING})
    assert sku == "" or "SKU:" in seen
