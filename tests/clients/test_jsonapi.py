"""Parsing JSON bodies: an object, or an UnexpectedAnswer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from portal.clients.errors import UnexpectedAnswer
from portal.clients.jsonapi import error_words, parse_json
from tests.clients.json_values import ANY


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"<!DOCTYPE html><html>Be right back</html>",
        b'{"data": [',
        b'"text"',
        b"[1]",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 5_000 + b'"\\u0000"' + b"}" * 5_000,
        b'{"n": ' + b"9" * 5_000 + b"}",
    ],
)
def test_anything_but_a_json_object_is_an_unexpected_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_json(body)
    assert error_words(body) == ""


def test_characters_that_a_database_rejects_are_replaced() -> None:
    read = parse_json(b'{"a\\u0000": ["\\ud800x", "\\ud83d\\ude00"], "n": NaN}')
    assert read == {"a\N{REPLACEMENT CHARACTER}": ["\N{REPLACEMENT CHARACTER}x", "\N{GRINNING FACE}"], "n": None}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"errors": [{"title": "Not valid"}]}, "Not valid"),
        ({"errors": [{"title": "Not valid", "detail": "zip"}, {"title": "Late"}]}, "Not valid: zip; Late"),
        ({"errors": [{"title": "Same", "detail": "Same"}]}, "Same"),
        ({"errors": ["plain", {"title": None, "detail": 7}]}, "plain"),
        ({"error": "invalid_grant", "message": "The code is used."}, "The code is used."),
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"errors": {"title": "a map"}}, ""),
        ({"error": {"deep": 1}}, ""),
        ({}, ""),
    ],
)
def test_error_words_are_extracted(answer: dict[str, Any], words: str) -> None:
    assert error_words(json.dumps(answer).encode()) == words


@given(ANY)
def test_parsing_raises_only_unexpected_answer(value: object) -> None:
    body = json.dumps(value).encode()
    try:
        assert isinstance(parse_json(body), dict)
    except UnexpectedAnswer:
        assert not isinstance(value, dict)
