"""The line of a description that a SKU problem is about, with the faulty part marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.sku import SkuProblemCode as Code
from portal.rules.sku import read_sku
from portal.rules.sku_excerpt import MAX_EXCERPT, excerpt
from portal.rules.visible_text import MAX_DESCRIPTION, visible_text
from tests.rules.texts import any_text, descriptions


def marked(description: str, code: Code) -> str:
    """Return the piece that is shown, with brackets around what is marked."""
    found = excerpt(description, code)
    assert found is not None
    text = "".join(f"[{part}]" if is_marked else part for part, is_marked in found.parts)
    return f"{'…' if found.is_cut else ''}{text}{'…' if found.is_cut_after else ''}"


@pytest.mark.parametrize(
    ("description", "code", "shown"),
    [
        ("<p>Soft cotton.</p><p>sku: SHIRT</p>", Code.OTHER_SPELLING, "[sku:] SHIRT"),
        ("Sku : SHIRT<br>Machine washable", Code.OTHER_SPELLING, "[Sku :] SHIRT"),
        ("A poster.\n50 x 70", Code.NO_MARKER, "50 x 70"),
        ("", Code.NO_MARKER, ""),
        ("Tea.<br>SKU:", Code.NOTHING_AFTER, "[SKU:]"),
        ("Tea.<br>SKU: MUG<br>Holds <b>tea</b>", Code.LINE_BREAK, "SKU: MUG\n[Holds tea]"),
        ("SKU:MUG\u20131", Code.LOOK_ALIKES, "SKU:MUG[\u2013]1"),
        ("SKU:MUG\xa01", Code.LOOK_ALIKES, "SKU:MUG[\xa0]1"),
        ("caf\xe9 \u2013 SKU:\u041cUG", Code.OTHER_LETTERS, "caf\xe9 \u2013 SKU:[\u041c]UG"),
        ("SKU:A B", Code.SPACE, "SKU:A[ ]B"),
        ("SKU:A\ufffd\ufffdB\ue000", Code.CHARACTERS, "SKU:A[\ufffd\ufffd]B[\ue000]"),
        ("SKU:" + "x" * 70, Code.TOO_LONG, "SKU:" + "x" * 64 + "[xxxxxx]"),
        ("SKU:A or SKU:B", Code.SEVERAL_MARKERS, "SKU:A or [SKU:]B"),
        ("SKU:A-", Code.UNFINISHED, "SKU:A[-]"),
        ("Tea. SKU:MUG", Code.SHARED, "Tea. SKU:MUG"),
    ],
)  # fmt: skip
def test_faulty_part_is_marked(description: str, code: Code, shown: str) -> None:
    assert marked(description, code) == shown


def test_nothing_is_marked_where_the_option_is_at_fault() -> None:
    assert marked("SKU:MUG-", Code.LOOK_ALIKES) == "SKU:MUG-"


def test_long_line_is_cut_around_the_faulty_part() -> None:
    line = "cotton " * 50
    assert marked(f"{line}sku: A {line}", Code.OTHER_SPELLING).startswith("…")
    shown = marked(f"{line}sku: A {line}", Code.OTHER_SPELLING)
    assert "[sku:] A" in shown
    assert shown.endswith("…")
    assert marked(f"{line}end", Code.NO_MARKER).endswith("cotton end")


def test_unreadable_description_is_not_shown() -> None:
    assert excerpt("x" * (MAX_DESCRIPTION + 1), Code.DESCRIPTION_TOO_LONG) is None


@given(descriptions | any_text, st.sampled_from(Code))
def test_what_is_shown_is_always_a_piece_of_the_visible_text(description: str, code: Code) -> None:
    found = excerpt(description, code)
    if found is None:
        assert code is Code.DESCRIPTION_TOO_LONG
        return
    pieces = [visible_text(description, keep_special_spaces=keep) for keep in (False, True)]
    assert any(found.text in whole for whole in pieces)
    assert len(found.text) <= MAX_EXCERPT
    assert all(part for part, _ in found.parts)
    assert found.text or not any(pieces)
    assert all(before != after for (_, before), (_, after) in zip(found.parts, found.parts[1:], strict=False))


@given(descriptions.map(lambda text: f"SKU:A{text}") | descriptions.map(lambda text: f"{text} sku: A"))
def test_problem_of_the_description_itself_is_always_marked(description: str) -> None:
    _, problems = read_sku(description)
    for one in problems:
        if one.code is not Code.NO_MARKER and (found := excerpt(description, one.code)):
            assert found.has_marks, one.code
