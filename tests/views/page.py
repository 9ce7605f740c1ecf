"""Pick elements and their text from a parsed page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import Tag


def one(page: Tag, selector: str, string: str | None = None) -> Tag:
    """Return the only element that matches the CSS selector and, if given, has exactly this text; else fail."""
    found = [tag for tag in page.select(selector) if string is None or text(tag) == string]
    wanted = selector if string is None else f"{selector} with the text {string!r}"
    assert len(found) == 1, f"{wanted}: expected one element, found {len(found)}"
    return found[0]


def section(page: Tag, name: str) -> Tag:
    """Return the only section whose heading has this id."""
    return one(page, f"section[aria-labelledby={name}]")


def text(tag: Tag) -> str:
    """Return the element's text on one line, without spaces before punctuation."""
    return re.sub(r" (?=[.,:])", "", " ".join(tag.get_text(" ").split()))


def text_in(page: Tag, selector: str = "main") -> str:
    """Return the text of the only element that matches the CSS selector."""
    return text(one(page, selector))
