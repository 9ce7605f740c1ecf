"""Big Cartel's JSON:API: bodies, objects with attributes and relationships, and ids.

The field names come from clients in public use, not from a specification, so any field may be missing, null, or of
another type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from portal.clients.errors import UnexpectedAnswer
from portal.clients.failures import unreadable

if TYPE_CHECKING:
    from portal.clients.errors import Exchange

BIG_CARTEL = "Big Cartel"

Key = tuple[str, str]
"""An object's kind, in the singular, and its id."""
Included = dict[Key, Mapping[str, Any]]
"""The other objects that an answer includes."""

_MAY_BE_UNSTORABLE = re.compile(rb"\\u(?:0000|d[89a-f])|\xed[\xa0-\xbf]|\0", re.IGNORECASE)
"""Matches NUL and half a surrogate pair, escaped or not, and any text in UTF-16 or UTF-32."""


def parse_json(body: bytes) -> Mapping[str, Any]:
    """Parse a body as one JSON object, without the characters that a database rejects (NUL, lone surrogates).

    Raises UnexpectedAnswer for anything else: HTML, a truncated document, a list, or endless nesting.
    """
    try:
        value = loads(body)
        if _MAY_BE_UNSTORABLE.search(body):
            value = _storable(value)
    except (ValueError, RecursionError):
        raise unreadable_answer("not JSON" if body.strip() else "empty") from None
    if not isinstance(value, dict):
        raise unreadable_answer("not a JSON object")
    return value


def loads(body: bytes | str) -> Any:
    """Parse JSON: fast if it is strict and in UTF-8, leniently (NaN, UTF-16, lone surrogates) if not."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body, parse_constant=lambda _: None)


def dumps(value: Any) -> str:
    """Return compact JSON with sorted keys: equal values give equal text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # deep nesting or huge numbers, which only the lenient parser accepts
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def error_words(body: bytes) -> str:
    """Return what an error answer says: the titles and details in ``errors``, or else ``message`` or ``error``.

    Never raises; returns "" when the body has no readable text.
    """
    try:
        answer = parse_json(body)
    except UnexpectedAnswer:
        return ""
    words = []
    for entry in entries(answer.get("errors")):
        if isinstance(entry, str):
            words.append(entry)
        elif isinstance(entry, Mapping):
            said = [entry[key] for key in ("title", "detail") if isinstance(entry.get(key), str)]
            words.append(": ".join(dict.fromkeys(said)))
    if not any(words):
        words = [answer[key] for key in ("message", "error") if isinstance(answer.get(key), str)][:1]
    return "; ".join(dict.fromkeys(word.strip() for word in words if word.strip()))


class Fields:
    """An object's attributes and relationships. A value of an unknown type is recorded and treated as missing."""

    def __init__(self, data: Mapping[str, Any], unreadable: list[str], prefix: str = "") -> None:
        self.attributes = mapping(data.get("attributes"))
        self.relationships = mapping(data.get("relationships"))
        self.unreadable = unreadable
        self._prefix = prefix

    def mark_unreadable(self, name: str) -> None:
        self.unreadable.append(self._prefix + name)

    def text(self, name: str) -> str:
        value = self.attributes.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            self.mark_unreadable(name)
        return ""

    def time(self, name: str) -> datetime | None:
        """Return an ISO 8601 time in UTC; a time without a zone is taken as UTC."""
        text = self.text(name).strip()
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.mark_unreadable(name)
            return None

    def whole_number(self, name: str) -> int | None:
        """Return an integer from 0 to 999,999,999, even if sent as text or as 2.0; None when missing or unreadable."""
        value = self.attributes.get(name)
        if type(value) is int and 0 <= value < 10**9:
            return value
        if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}(?:\.0+)?\s*", value):
            value = float(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
            return value
        if value is not None:
            self.mark_unreadable(name)
        return None

    def related_id(self, name: str) -> str | None:
        """Return the id of a to-one relationship. Its type is ignored because its spelling varies between answers."""
        data = mapping(self.relationships.get(name)).get("data")
        if data is None:
            return None
        found = id_of(data.get("id")) if isinstance(data, Mapping) else None
        if found is None:
            self.mark_unreadable(name)
        return found


def related_keys(relationships: Mapping[str, Any], name: str) -> tuple[list[Key], bool]:
    """Return the distinct keys of a to-many relationship, and whether the whole list could be read."""
    data = mapping(relationships.get(name)).get("data")
    if not isinstance(data, list):
        return [], False
    keys = [key for entry in data if (key := key_of(entry)) is not None]
    return list(dict.fromkeys(keys)), len(keys) == len(data)


def index(included: object) -> Included:
    """Return the included objects by kind and id; the first of several with the same key wins."""
    found: Included = {}
    for entry in entries(included):
        key = key_of(entry)
        if key is not None:
            found.setdefault(key, entry)
    return found


def key_of(entry: object) -> Key | None:
    """Return an object's kind and id, with each part of the kind made singular because answers use both forms."""
    if not isinstance(entry, dict):
        return None
    number, kind = id_of(entry.get("id")), entry.get("type")
    if number is None or not isinstance(kind, str):
        return None
    return _singular(kind), number


@lru_cache(maxsize=1024)
def _singular(kind: str) -> str:
    return "country" if kind == "countries" else "/".join(part.removesuffix("s") for part in kind.split("/"))


def id_of(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return None


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def entries(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_storable(entry) for entry in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(entry) for key, entry in value.items()}
    return value


def unreadable_answer(what: str, exchange: Exchange | None = None) -> UnexpectedAnswer:
    return unreadable(BIG_CARTEL, what, exchange=exchange)
