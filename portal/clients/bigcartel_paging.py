"""Which page of a Big Cartel list comes next; an answer can never send us to another address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from portal.clients.errors import UnexpectedAnswer
from portal.clients.jsonapi import BIG_CARTEL

LIMIT, OFFSET = "page[limit]", "page[offset]"
FIRST = {LIMIT: "50"}
"""50 is the largest page that clients in public use ask for; whether the API allows more is not known."""
DEFAULT_LIMIT = 20
"""What the API sends when it does not follow ``page[limit]``."""


def next_page(page: Mapping[str, Any], paging: Mapping[str, str]) -> dict[str, str] | None:
    """The ``page[…]`` parameters after ``paging``, or None after the last page.

    Only the parameters of ``links.next`` are used, whatever address it names. Without a link, a full page
    and a ``meta.count`` that says more go on by offset. Raises UnexpectedAnswer for a link that cannot be
    read or does not advance.
    """
    entries = page["data"]
    links = page.get("links")
    link = links.get("next") if isinstance(links, Mapping) else None
    if isinstance(link, Mapping):
        link = link.get("href")
    if not entries:
        return None
    offset = int(paging.get(OFFSET, "0"))
    if link is None or link == "":
        total = count(page)
        if len(entries) < DEFAULT_LIMIT or total is None or offset + len(entries) >= total:
            return None
        return {**paging, OFFSET: str(offset + len(entries))}
    try:
        pairs = parse_qsl(urlsplit(link).query) if isinstance(link, str) else []
    except ValueError:
        pairs = []
    following = {**paging, **{name: value for name, value in pairs if name.startswith("page[")}}
    at = following.setdefault(OFFSET, "0")
    if not _is_number(at) or int(at) < offset or following == {OFFSET: "0", **paging}:
        raise UnexpectedAnswer(
            f"{BIG_CARTEL}'s list names a next page that does not lead on, so it could not be read to its end.",
            service=BIG_CARTEL,
        )
    return following


def count(page: Mapping[str, Any]) -> int | None:
    """``meta.count``, which the API sends as text: how many entries all pages have together."""
    meta = page.get("meta")
    value = meta.get("count") if isinstance(meta, Mapping) else None
    if isinstance(value, str) and _is_number(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
