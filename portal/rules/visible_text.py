"""What a person sees of a text, HTML or plain: nothing hidden or invisible, line breaks as newlines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

# Longer descriptions are not read at all: half of one could hold half a SKU.
MAX_DESCRIPTION = 100_000
# An unclosed formatting element is opened anew in every paragraph that follows (HTML standard, "reconstruct
# the active formatting elements"), so a small text can become millions of them. Identical ones stop at three.
_MAX_ELEMENTS = 250_000
_REOPENING_TAG = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/]", re.IGNORECASE)

_INVISIBLE = re.compile(
    # Control characters other than tabs and line breaks; soft hyphen; format characters (those with a glyph
    # of their own stay); fillers, joiners and variation selectors that leave no trace; tags.
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_SPACES = re.compile("[\t \xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]+")
_BREAKS = re.compile(" ?[\n\r\x0b\x0c\x85\u2028\u2029][ \n\r\x0b\x0c\x85\u2028\u2029]*")
_SURROGATE = re.compile("[\ud800-\udfff]")

_MARKUP = re.compile(r"<[a-z/!?]|&[a-z#]", re.IGNORECASE)
_HIDDEN = frozenset(
    """
    annotation annotation-xml applet area audio base canvas datalist defs desc embed head iframe link meta
    metadata noembed noframes noscript object param rp script source style symbol template title track video
    """.split()  # noqa: SIM905 - thirty strings on thirty lines read worse
)
_BREAKING = frozenset(
    """
    address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav
    ol optgroup option p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp
    """.split()  # noqa: SIM905 - fifty strings on fifty lines read worse
)
_HIDING_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none\b|visibility\s*:\s*(?:hidden|collapse)\b"
    r"|(?:opacity|font-size)\s*:\s*(?:0+(?:\.0*)?|\.0+)(?:px|pt|em|rem|%)?\s*(?:!|;|$))",
    re.IGNORECASE,
)
_BREAKING_STYLE = re.compile(r"(?:^|;)\s*display\s*:\s*(?:block|flex|grid|table|list-item|flow-root)\b", re.IGNORECASE)


def clean(text: str) -> str:
    """Plain text as a person sees it.

    Nothing invisible; every kind of space a plain one and runs of them one; every kind of line break a
    newline with no space around it; neither at the ends. A lone surrogate becomes U+FFFD.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
    return _SURROGATE.sub("\ufffd", _BREAKS.sub("\n", text)).strip(" \n")


def is_readable(description: str) -> bool:
    """False for what would take too long or too much memory to read."""
    if len(description) > MAX_DESCRIPTION:
        return False
    reopened = sum(1 for _ in _REOPENING_TAG.finditer(description))
    return reopened * description.count("<") <= _MAX_ELEMENTS


def visible_text(description: str) -> str:
    """What a person sees of a description, be it HTML or plain text.

    Big Cartel's themes turn line breaks in the text into ``<br>``, so both count, and so do the edges of
    blocks. Empty when the description is not readable.
    """
    if not is_readable(description):
        return ""
    if not _MARKUP.search(description):
        return clean(description)
    # As a page of its own: a description cannot put itself in the head of the page.
    body = LexborHTMLParser("<!doctype html><body>" + _SURROGATE.sub("\ufffd", description)).body
    return "" if body is None else clean(_text_below(body))


def _text_below(root: LexborNode) -> str:
    """Depth first without recursion: descriptions may be nested deeper than Python's stack."""
    parts: list[str] = []
    open_elements: list[tuple[LexborNode, str]] = []
    node = root.first_child
    while node is not None:
        if node.is_text_node:
            parts.append(node.text_content or "")
        elif node.is_element_node and (edge := _edge(node)) is not None:
            parts.append(edge)
            if (child := node.first_child) is not None:
                open_elements.append((node, edge))
                node = child
                continue
        following = node.next
        while following is None and open_elements:
            closed, edge = open_elements.pop()
            parts.append(edge)
            following = closed.next
        node = following
    return "".join(parts)


def _edge(element: LexborNode) -> str | None:
    """What stands around an element: a newline for a block, nothing for inline; None when it is hidden."""
    tag = element.tag
    if tag in _HIDDEN:
        return None
    attributes = element.attributes
    style = attributes.get("style") or ""
    if "hidden" in attributes or (tag == "dialog" and "open" not in attributes) or _HIDING_STYLE.search(style):
        return None
    return "\n" if tag in _BREAKING or _BREAKING_STYLE.search(style) else ""
