"""What a failure's message is about. The FCP's messages are not published, so the table holds many wordings."""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.failure_kinds import Kind, kind_of, names_the_cause
from tests.clients.conftest import payload_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = ("LMFN-543196", "USPS_MEDIA", "SHIRT-SMALL", "LOCK-01", "System-Error", "BUSY TIMEOUT")


def table() -> Iterator[tuple[str, Kind]]:
    """Yield the wordings of the payload file with their kinds."""
    kind = None
    for line in payload_bytes("fcp_failure_wordings").decode().splitlines():
        if line.startswith("["):
            kind = Kind(line.strip("[]"))
        elif line and kind is not None:
            yield line, kind


TABLE = [*table(), ("", Kind.REQUEST)]


@pytest.mark.parametrize(("words", "kind"), TABLE)
def test_kind_of_a_message(words: str, kind: Kind) -> None:
    assert kind_of(words, VALUES, duplicates=True) is kind


@pytest.mark.parametrize(("words", "kind"), [row for row in TABLE if not re.search("[a-z][A-Z]|&", row[0])])
def test_case_does_not_change_the_kind(words: str, kind: Kind) -> None:
    assert kind_of(words.upper(), [value.upper() for value in VALUES], duplicates=True) is kind


@pytest.mark.parametrize("words", [words for words, kind in TABLE if "duplicate" in kind.value])
def test_order_number_is_looked_for_only_on_request(words: str) -> None:
    assert kind_of(words, VALUES) in {Kind.REQUEST, Kind.BUSY, Kind.CREDENTIALS}


@pytest.mark.parametrize(
    ("words", "is_named"),
    [
        ("Invalid SKU: SHIRT-SMALL", True),
        ("System error: invalid PostalCode", True),
        ("SKU lookup service is unavailable", False),
        ("Timed out while validating the address", False),
        ("Database is down", False),
    ],
)
def test_cause_is_named_only_if_a_person_can_fix_it(words: str, *, is_named: bool) -> None:
    assert names_the_cause(words) is is_named


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_has_a_kind(words: str, values: list[str]) -> None:
    assert kind_of(words, values, duplicates=True) in Kind
    names_the_cause(words)


@pytest.mark.parametrize("words", ["try again ", "a ", "order ", "max x ", "service is ", "error ", "could not check "])
def test_long_message_is_read_quickly(words: str) -> None:
    start = perf_counter()
    kind_of((words * 1000)[:1000], duplicates=True)
    assert perf_counter() - start < 1
