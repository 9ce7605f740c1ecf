"""Text strategies for the property tests, and an independent check for invisible characters."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

# Default_Ignorable_Code_Point characters that Unicode classes as letters or marks, and the blank Braille pattern.
_LOOKS_EMPTY = {
    *"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0",
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0000, 0xE1000)),
}


def is_invisible(character: str) -> bool:
    """Return whether a character prints nothing; a plain space does not count."""
    category = unicodedata.category(character)
    return character != " " and (category[0] in "CZ" or character in _LOOKS_EMPTY)


INVISIBLE = [
    "\x00", "\x07", "\x1f", "\x7f", "\x80", "\xad", "\u034f", "\u061c", "\u115f", "\u17b4", "\u180e", "\u200b",
    "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202d", "\u202e", "\u2060", "\u2064", "\u2066", "\u2069",
    "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\U0001d173", "\U000e0001", "\U000e0041", "\U000e0100",
]  # fmt: skip
SPACES = ["\t", "\xa0", "\u1680", "\u2003", "\u2009", "\u202f", "\u205f", "\u2800", "\u3000", "  \xa0 \t"]
BREAKS = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\n\n", " \r\n "]

any_text = st.text(st.characters(exclude_categories=()))
_PIECES = [
    *INVISIBLE, *SPACES, *BREAKS,
    "SKU:", "sku:", "S", "KU:", "SKU", ":", "\uff1a", "SHIRT-", "A", "1", "É", "E\u0301", "名", "�", "\ue000", "\ud800",
    "\udfff", "\U0010ffff", "\u0378", "\u0600", "&nbsp;", "&shy;", "&#0;", "&#x200b;", "&#55296;", "&amp;", "&bogus",
    "&", "<b>", "</b>", "<b hidden>", "<br>", "<br/>", "<p>", "</p>", "<div style='display:none'>", "</div>", "<li>",
    "<td>", "<table>", "</table>", "<script>", "</script>", "<style>", "<!--", "-->", "<!", "<?", "<", ">", "</", '"',
    "'", "<textarea>", "<title>", "<template>", "</template>", "<svg>", "<![CDATA[", "]]>", "<plaintext>", "<select>",
]  # fmt: skip
descriptions = st.lists(st.one_of(st.sampled_from(_PIECES), any_text), max_size=30).map("".join)
