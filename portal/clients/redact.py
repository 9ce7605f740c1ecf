"""Redact credentials in any text before it is stored, logged, or shown."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "•••"

_KEYS = r"(?:efs_)?merchant_?token|access_token|refresh_token|client_secret"
_ELEMENT = re.compile(
    r"(<(?:[\w.-]+:)?MerchantToken(?:\s[^<>]*)?(?<!/)>)(?!</).+?(?=</(?:[\w.-]+:)?MerchantToken|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_JSON = re.compile(rf'("(?:{_KEYS})"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\Z)|[^\s",}}\]]+)', re.IGNORECASE | re.DOTALL)
_FORM = re.compile(rf"(\b(?:{_KEYS})=)[^&\s\"'<>]+", re.IGNORECASE)
_CODE = re.compile(r"((?:^|[?&])code=)[^&\s\"'<>]+")
_HEADER = re.compile(r"(Authorization\"?'?\s*[:=]\s*\"?'?(?:Bearer|Basic)\s+)[^\s\"',]+", re.IGNORECASE)

_SHORTEST_INNER_BASE64 = 8


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace every credential in ``text`` with "•••".

    Credentials are all ``secrets`` (empty ones are ignored), plain or encoded for XML, JSON, a URL, or Base64, and,
    whatever the value, the contents of MerchantToken elements, of JSON and form fields that hold tokens, and of
    Authorization headers.
    """
    for form in _all_encodings(tuple(secrets)):
        if form in text:
            text = text.replace(form, MARK)
    lowered = text.lower()
    if "merchanttoken" in lowered:
        text = _ELEMENT.sub(rf"\1{MARK}", text)
    if 'token"' in lowered or 'client_secret"' in lowered:
        text = _JSON.sub(rf'\1"{MARK}"', text)
    if "token=" in lowered or "client_secret=" in lowered:
        text = _FORM.sub(rf"\1{MARK}", text)
    if "authorization" in lowered:
        text = _HEADER.sub(rf"\1{MARK}", text)
    if "code=" in text:
        text = _CODE.sub(rf"\1{MARK}", text)
    return text


def longest_encoding(secrets: tuple[str, ...]) -> int:
    """Return the length of the longest encoding of any of ``secrets``; 0 without secrets."""
    return max(map(len, _all_encodings(secrets)), default=0)


@lru_cache(maxsize=256)
def _all_encodings(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return every encoding of every secret, longest first: a shorter one could leave part of a longer one behind."""
    forms = {form for secret in secrets if secret for form in _encodings(secret)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _encodings(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogatepass")
    encodings = {secret}
    for quotes in ({}, {'"': "&quot;"}, {'"': "&quot;", "'": "&apos;"}, {'"': "&#34;", "'": "&#39;"}):
        encodings.add(escape(secret, quotes))
    encodings.add(escape(secret, {'"': "&quot;", "'": "&#x27;"}))
    for ascii_only in (True, False):
        encoded = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        encodings |= {encoded, encoded.replace("/", "\\/")}
    for percent in (quote(data, safe=""), quote(data), quote_plus(data), quote_plus(data, safe="/")):
        encodings |= {percent, re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), percent)}
    encodings |= _base64_encodings(data)
    return encodings


def _base64_encodings(data: bytes) -> set[str]:
    """Return the Base64 of the secret alone, and the characters it contributes within the Base64 of a longer text."""
    plain = base64.b64encode(data).decode()
    found = {plain}
    if len(data) >= _SHORTEST_INNER_BASE64:
        found.add(plain.rstrip("="))
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
            first = (before * 8 + 5) // 6
            last = (before + len(data)) * 8 // 6
            found.add(coded[first:last])
    return found | {form.translate(str.maketrans("+/", "-_")) for form in found}
