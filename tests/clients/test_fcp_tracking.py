"""Several tracking numbers in one text come apart, and one number stays whole."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.fcp_tracking import SHORTEST, tracking_numbers
from tests.conftest import ROOT

DATA = json.loads((ROOT / "tests/payloads/tracking_numbers.json").read_text("utf-8"))["numbers"]
VALID: list[str] = list(dict.fromkeys(number for one in DATA for number in one["valid"]))
IN_ONE_PIECE = [number for number in VALID if number == "".join(number.split())]
SEPARATORS = (
    ";",
    ",",
    "|",
    "/",
    "\n",
    "\r\n",
    "\t",
    "&",
    "+",
    "; ",
    " , ",
    " / ",
    " and ",
    " AND ",
    " + ",
    "<br>",
    " • ",
    "\u3001",
    "\\n",
    " or ",
    " then ",
)
SPACES = (" ", "  ", "\u00a0", " - ", " \u2013 ")


def compact(number: str) -> str:
    return "".join(number.split())


@pytest.mark.parametrize("number", VALID)
def test_one_number_stays_whole(number: str) -> None:
    [found] = tracking_numbers([number])
    assert compact(found) == compact(number)


@pytest.mark.parametrize("beside", ["({})", "[{}]", "Package 1: {}", "Box 2) {}", "Shipment #3: Tracking no. {}"])
def test_brackets_and_the_parcels_count_are_no_part_of_a_number(beside: str) -> None:
    assert tracking_numbers([beside.format("9400111899223197428490")]) == ("9400111899223197428490",)


@pytest.mark.parametrize("number", ["9400 1118 9922 3197 4284 90", "1Z 999 AA1 01 2345 6784"])
def test_numbers_in_the_same_groups_come_apart_at_a_space(number: str) -> None:
    other = number[:-1] + "1"
    assert tracking_numbers([f"{number} {other}"]) == (number, other)


def test_shortest_number_is_that_of_the_data() -> None:
    assert min(len(compact(number)) for number in VALID) == SHORTEST


@given(st.sampled_from(VALID), st.sampled_from(VALID), st.sampled_from(SEPARATORS))
def test_two_numbers_come_apart_at_a_separator(one: str, other: str, separator: str) -> None:
    found = tracking_numbers([f"{one}{separator}{other}"])
    assert list(map(compact, found)) == list(dict.fromkeys([compact(one), compact(other)]))


@given(st.lists(st.sampled_from(IN_ONE_PIECE), min_size=1, max_size=4, unique=True), st.sampled_from(SPACES))
def test_numbers_without_groups_come_apart_at_spaces(numbers: list[str], space: str) -> None:
    assert tracking_numbers([space.join(numbers)]) == tuple(numbers)


def test_numbers_in_groups_come_apart_at_a_wide_gap() -> None:
    one, other = "9400 1112 0108 0805 4830 16", "0414 4176 0228 964"
    assert tracking_numbers([f"{one}   {other}"]) == (one, other)
    assert tracking_numbers([f"{one} {other}"]) == (f"{one} {other}",)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Tracking: 94001", ("94001",)),
        ("Tracking Number(s): 94001; 94002", ("94001", "94002")),
        ("Tracking # 94001", ("94001",)),
        ("#94001", ("94001",)),
        ("TRK1234567890", ("TRK1234567890",)),
        ("'94001'", ("94001",)),
        ("\u200b94\u200b001\ufeff", ("94001",)),
        ("\uff19\uff14\uff10\uff10\uff11", ("94001",)),
        ("1LS7119013618127\u20111", ("1LS7119013618127-1",)),
        ("94001;94 001;94001", ("94001",)),
        ("1z5r89390357567127, 1Z5R89390357567127", ("1z5r89390357567127",)),
        ("https://www.ups.com/track?a=1&tracknum=1Z9;94001", ("https://www.ups.com/track?a=1&tracknum=1Z9", "94001")),
        ("USPS: 94001", ("USPS: 94001",)),
        ("", ()),
        ("N/A", ()),
        (" ; - ; none", ()),
    ],
)
def test_labels_and_marks_are_no_part_of_a_number(text: str, numbers: tuple[str, ...]) -> None:
    assert tracking_numbers([text]) == numbers


@given(st.lists(st.text(st.sampled_from(string.ascii_letters + string.digits + " ;,|/&+-\n\t#'.:\u200b"))))
def test_no_digit_is_lost(texts: list[str]) -> None:
    found = tracking_numbers(texts)
    digits = {char for text in texts for char in text if char.isdigit()}
    assert {char for number in found for char in number if char.isdigit()} == digits
    assert all(number == number.strip() and any(map(str.isdigit, number)) for number in found)
    assert len({compact(number).casefold() for number in found}) == len(found)
