"""Find the next page of a Big Cartel list; an answer can never send us to another host or path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from portal.clients.jsonapi import unreadable_answer

LIMIT, OFFSET = "page[limit]", "page[offset]"
FIRST = {LIMIT: "50"}
"""50 is the largest page size seen in public clients; the API's own limit is unknown."""
DEFAULT_LIMIT = 20
"""Entries per page when the API ignores ``page[limit]``."""


def next_page(page: Mapping[str, Any], paging: Mapping[str, str]) -> dict[str, str] | None:
    """Return the ``page[…]`` parameters that follow ``paging``, or None after the last page.

    Only the parameters of ``links.next`` are used, never its host or path. Without a link, the next offset is used if
    the page is full and ``meta.count`` is higher. Raises UnexpectedAnswer for a link that can't be parsed or doesn't
    advance.
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
        raise unreadable_answer("a list whose next page doesn't advance")
    return following


def count(page: Mapping[str, Any]) -> int | None:
    """Return ``meta.count``, the number of entries on all pages, which the API sends as text; None if unreadable."""
    meta = page.get("meta")
    value = meta.get("count") if isinstance(meta, Mapping) else None
    if isinstance(value, str) and _is_number(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
