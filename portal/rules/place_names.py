"""Compare names of states and provinces however they are typed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from portal.rules.visible_text import clean

_LITTLE_WORDS = frozenset({"and", "of", "the"})


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """Return what two spellings of one name share: the letters and digits, without case, accents, and little words."""
    decomposed = unicodedata.normalize("NFKD", clean(name)).casefold()
    spaced = "".join(_letter(character) for character in decomposed)
    return "".join(word for word in spaced.split() if word not in _LITTLE_WORDS)


def _letter(character: str) -> str:
    """Return the letter or digit, a space for punctuation, and nothing for an accent or an apostrophe."""
    kind = unicodedata.category(character)
    if kind in {"Mn", "Lm"} or character in "'\u2018\u2019":
        return ""
    return character if kind[0] in "LMN" else " "
