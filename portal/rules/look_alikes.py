"""Characters that look like a plain one (ASCII) but are another: a SKU with one matches nothing at the warehouse.

They come from word processors, phones and websites, which replace hyphens, spaces and quotation marks as people type.
"""

from __future__ import annotations

import re
import unicodedata

_DASHES = "\xaf\u02c9\u02d7\u0335\u0336\u2043\u203e\u207b\u208b\u2212\u23af\u2500\u2501\u2574\u2576\u2578\u257a\u2796"
"""Signs that look like a hyphen and are in no Unicode category of dashes."""
_LETTERS = re.compile("(?<=[!-~])[\u3161\u30fc\u4e00\uff70](?=[!-~])")
"""Letters of East Asia that look like a hyphen; they only pass for one between plain characters."""
_QUOTES = (
    "\u02b9\u02ba\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u05f3\u05f4\u2018-\u201f\u2032-\u2037\u2039\u203a\xb4\xab\xbb"
)
_SIGNS = "\u02d0\u02f8\u0589\u05c3\u066a\u066b\u066c\u066d\u06d4\u2024\u2025\u2026\u2044\u204e\u2215\u01c0\u2223"
_BRAILLE_BLANK = "\u2800"
_SPECIAL = re.compile(f"[{_DASHES}{_QUOTES}{_SIGNS}{_BRAILLE_BLANK}]")
_ALPHABET = re.compile(r"(?:LATIN|GREEK|CYRILLIC|ARMENIAN|CHEROKEE|COPTIC)\b")


def look_alikes(text: str) -> tuple[str, ...]:
    """Return the characters of a text that look like a plain dash, space, letter, digit or sign, each once."""
    found = {character: None for character in text if not character.isascii() and _is_one(character)}
    return tuple(found | dict.fromkeys(_LETTERS.findall(text)))


def other_letters(text: str) -> tuple[str, ...]:
    """Return the letters of another alphabet in a text that has Latin letters too; many look the same."""
    alphabets = {character: _alphabet(character) for character in text if character.isalpha()}
    if "LATIN" not in alphabets.values():
        return ()
    return tuple(character for character, alphabet in alphabets.items() if alphabet not in {"LATIN", ""})


def named(character: str) -> str:
    """Return a character's name and number for a sentence: ``en dash (U+2013)``."""
    name = unicodedata.name(character, "unnamed character").lower()
    return f"{name} (U+{ord(character):04X})"


def _is_one(character: str) -> bool:
    category = unicodedata.category(character)
    if category in {"Pd", "Zs"} or _SPECIAL.match(character):
        return True
    # Full-width, superscript, mathematical and other forms of plain characters.
    plain = unicodedata.normalize("NFKC", character)
    return plain != character and plain.isascii() and plain.isprintable()


def _alphabet(letter: str) -> str:
    found = _ALPHABET.match(unicodedata.name(letter, ""))
    return found[0] if found else ""
