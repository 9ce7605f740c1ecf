"""Strikes credentials out of any text before it is stored, logged or shown."""

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
    """Replace every credential in ``text`` by "•••".

    Struck are all ``secrets`` (empty ones are ignored), plain or as XML, JSON, percent-encoding or Base64
    write them, and, whatever their value, the contents of MerchantToken elements, of JSON and form fields
    that carry tokens, and of Authorization headers.
    """
    for form in _forms(tuple(secrets)):
        if form in text:
            text = text.replace(form, MARK)
    lowered = text.lower()
    if "token" in lowered or "client_secret" in lowered:
        text = _ELEMENT.sub(rf"\1{MARK}", text)
        text = _JSON.sub(rf'\1"{MARK}"', text)
        text = _FORM.sub(rf"\1{MARK}", text)
    if "authorization" in lowered:
        text = _HEADER.sub(rf"\1{MARK}", text)
    if "code=" in text:
        text = _CODE.sub(rf"\1{MARK}", text)
    return text


def longest_form(secrets: tuple[str, ...]) -> int:
    """How many characters the longest spelling of any of ``secrets`` has; 0 without secrets."""
    return max(map(len, _forms(secrets)), default=0)


@lru_cache(maxsize=256)
def _forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Every spelling of every secret, the longest first, so that no part of one is left standing."""
    forms = {form for secret in secrets if secret for form in _spellings(secret)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _spellings(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogatepass")
    spellings = {secret}
    for quotes in ({}, {'"': "&quot;"}, {'"': "&quot;", "'": "&apos;"}, {'"': "&#34;", "'": "&#39;"}):
        spellings.add(escape(secret, quotes))
    spellings.add(escape(secret, {'"': "&quot;", "'": "&#x27;"}))
    for ascii_only in (True, False):
        spelled = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        spellings |= {spelled, spelled.replace("/", "\\/")}
    for percent in (quote(data, safe=""), quote(data), quote_plus(data), quote_plus(data, safe="/")):
        spellings |= {percent, re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), percent)}
    spellings |= _base64_spellings(data)
    return spellings


def _base64_spellings(data: bytes) -> set[str]:
    """Base64 of the secret alone, and the characters it leaves when it stands inside a longer text."""
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
