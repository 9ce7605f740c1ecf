"""Recognize texts that stand for nothing, such as "-", "n/a", or a blank letter."""

from __future__ import annotations

import re
import unicodedata

_FILLER = r"x+|n\s*[./\\|-]\s*a\.?|null|undefined|unknown"
_NO_ANSWER = (
    rf"{_FILLER}|na|none|nil|no|nope|nothing|nbsp|not applicable|aucune?|keine?|nenhum|nessuno|ninguno"
    r"|нет|なし|無し?|无|없음"
)
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
"""Brackets and other signs around a word."""
_IS_FILLER = re.compile(_FILLER, re.IGNORECASE)
_IS_NO_ANSWER = re.compile(_NO_ANSWER, re.IGNORECASE)
_IS_NO_STREET = re.compile(rf"{_NO_ANSWER}|\w|0+", re.IGNORECASE)
_ASCII_LETTER = re.compile("[A-Za-z0-9]")
# Korean letters that are parts of syllables. Alone they are typed as a dash, a dot, or a filler, never as a name.
_LETTER_PARTS = re.compile("[\u3130-\u318f]")


def is_blank(text: str) -> bool:
    """Return whether the text has no letter and no digit."""
    return not (text and (_ASCII_LETTER.search(text) or any(map(_is_letter, text))))


def is_filler(text: str) -> bool:
    """Return whether the text can't be part of an address."""
    return is_blank(text) or _IS_FILLER.fullmatch(text) is not None


def is_no_answer(text: str) -> bool:
    """Return whether the text says that there is nothing to say, for a field that may be empty."""
    return is_blank(text) or _IS_NO_ANSWER.fullmatch(_AROUND.sub("", text)) is not None


def is_no_street(text: str) -> bool:
    """Return whether the text can't be a street: nothing, or a single letter or digit."""
    return is_blank(text) or _IS_NO_STREET.fullmatch(text) is not None


def _is_letter(character: str) -> bool:
    """Modifier letters don't count: the long dash of Japanese is one."""
    kind = unicodedata.category(character)
    return kind[0] in "LN" and kind != "Lm" and not _LETTER_PARTS.match(character)
