"""Visible text of HTML or plain text: nothing hidden or invisible, with line breaks as newlines."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

# Characters. Longer descriptions are not read at all: a cut could split the SKU.
MAX_DESCRIPTION = 100_000
# The parser reopens an unclosed formatting element in every following paragraph (HTML standard, "reconstruct the active
# formatting elements"), so a short text can expand to millions of elements. Identical ones are capped at three.
_MAX_ELEMENTS = 250_000
_REOPENING_TAG = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/]", re.IGNORECASE)

# Control characters except tabs and line breaks; soft hyphen; format characters without a glyph of their own; invisible
# fillers, joiners and variation selectors; tags. To be used within a character class.
INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_SPECIAL_SPACES = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3000"
SPACES = f" \t{_SPECIAL_SPACES}"
_SPACES = re.compile(f"[{SPACES}]+")
_BREAKS = re.compile(" ?[\n\r\x0b\x0c\x85\u2028\u2029][ \n\r\x0b\x0c\x85\u2028\u2029]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Invisible, but they shape the letters around them in Persian, the scripts of India, and others.
_JOINERS = "\u200c\u200d"

_MARKUP = re.compile(r"<[a-z/!?]|&[a-z#]", re.IGNORECASE)
_HIDDEN = frozenset(
    """
    annotation annotation-xml applet area audio base canvas datalist defs desc embed head iframe link meta
    metadata noembed noframes noscript object param rp script source style symbol template title track video
    """.split()  # noqa: SIM905 - thirty strings on thirty lines are harder to read
)
_BREAKING = frozenset(
    """
    address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav
    ol optgroup option p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp
    """.split()  # noqa: SIM905 - fifty strings on fifty lines are harder to read
)
_HIDING_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none\b|visibility\s*:\s*(?:hidden|collapse)\b"
    r"|(?:opacity|font-size)\s*:\s*(?:0+(?:\.0*)?|\.0+)(?:px|pt|em|rem|%)?\s*(?:!|;|$))",
    re.IGNORECASE,
)
_BREAKING_STYLE = re.compile(r"(?:^|;)\s*display\s*:\s*(?:block|flex|grid|table|list-item|flow-root)\b", re.IGNORECASE)


def clean(text: str, *, keep_special_spaces: bool = False) -> str:
    """Return plain text as a person sees it.

    Invisible characters are removed, any run of spaces becomes one plain space, any run of line breaks becomes one
    newline with no space around it, and both ends are trimmed. A lone surrogate becomes U+FFFD. With
    ``keep_special_spaces``, a run of spaces inside the text becomes the first one of them that isn't plain, if any.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = _SPACES.sub(_special_space if keep_special_spaces else " ", _INVISIBLE.sub("", text))
    return _SURROGATE.sub("\ufffd", _BREAKS.sub("\n", text)).strip(f"{SPACES}\n")


def _special_space(run: re.Match[str]) -> str:
    return run[0].strip(" \t")[:1] or " "


def one_line(text: str) -> str:
    """Return a field as a person sees it, on one line and in Unicode's composed form (NFC).

    As in ``clean``, but a joiner inside a word is kept, because the word is misspelled without it.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    visible = _SURROGATE.sub("\ufffd", _INVISIBLE.sub(_joiner_in_word, text))
    return unicodedata.normalize("NFC", " ".join(_SPACES.sub(" ", visible).split()))


def _joiner_in_word(invisible: re.Match[str]) -> str:
    """Return the joiner among invisible characters between two letters, "" if there is none."""
    start, end = invisible.span()
    around = invisible.string[start - 1 : start], invisible.string[end : end + 1]
    if all(one and unicodedata.category(one)[0] in "LM" for one in around):
        return next((one for one in invisible[0] if one in _JOINERS), "")
    return ""


def shorten(text: str, limit: int = 40) -> str:
    """Put the text on one line and cut it to ``limit`` characters, for use inside a sentence."""
    line = text.replace("\n", " ").strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def is_readable(description: str) -> bool:
    """Return False if parsing the description would take too much time or memory."""
    if len(description) > MAX_DESCRIPTION:
        return False
    reopened = sum(1 for _ in _REOPENING_TAG.finditer(description))
    return reopened * description.count("<") <= _MAX_ELEMENTS


def visible_text(description: str, *, keep_special_spaces: bool = False) -> str:
    """Return what a person sees of a description, HTML or plain text; "" if it is not readable. See ``clean``.

    Big Cartel's themes turn line breaks into ``<br>``, so both count as line breaks, and so do the edges of blocks.
    """
    if not is_readable(description):
        return ""
    if not _MARKUP.search(description):
        return clean(description, keep_special_spaces=keep_special_spaces)
    # Starting inside <body> keeps the description out of the page's head.
    body = LexborHTMLParser("<!doctype html><body>" + _SURROGATE.sub("\ufffd", description)).body
    return "" if body is None else clean(_text_below(body), keep_special_spaces=keep_special_spaces)


def _text_below(root: LexborNode) -> str:
    """Collect the text depth-first without recursion: descriptions may be nested deeper than Python's stack."""
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
    """Return the text to put around an element: a newline for a block, "" for inline; None if it is hidden."""
    tag = element.tag
    if tag in _HIDDEN:
        return None
    attributes = element.attributes
    style = attributes.get("style") or ""
    if "hidden" in attributes or (tag == "dialog" and "open" not in attributes) or _HIDING_STYLE.search(style):
        return None
    return "\n" if tag in _BREAKING or _BREAKING_STYLE.search(style) else ""
