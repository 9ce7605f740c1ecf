"""Reads the SKU out of a product description: the text that a person sees after the first ``SKU:``.

Every reader here returns *(SKU, problems)* and takes any text at all without raising. The SKU is empty
whenever one of its problems stops the order, so that a doubtful one cannot be sent by mistake.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.rules.visible_text import clean, is_readable, visible_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKER = "SKU:"

# ASSUMED: which characters and how many the FCP takes in a Sku element is not published. Until it is: at most
# 64, no control, private-use or unassigned character, and none that stands for one that was lost on the way.
MAX_SKU = 64
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_REFUSED_CHARACTERS = frozenset("\ufffc\ufffd")

_CACHED_LENGTH = 20_000


class SkuProblemCode(StrEnum):
    """What can be wrong with a SKU; the first eight stop the order, the others are worth a look."""

    NO_MARKER = "no_marker"
    OTHER_SPELLING = "other_spelling"
    NOTHING_AFTER = "nothing_after"
    LINE_BREAK = "line_break"
    CHARACTERS = "characters"
    TOO_LONG = "too_long"
    OPTION_MISSING = "option_missing"
    DESCRIPTION_TOO_LONG = "description_too_long"
    SEVERAL_MARKERS = "several_markers"
    SPACE = "space"
    NO_SEPARATOR = "no_separator"
    SHARED = "shared"
    UNFINISHED = "unfinished"


_WORTH_A_LOOK = {
    SkuProblemCode.SEVERAL_MARKERS,
    SkuProblemCode.SPACE,
    SkuProblemCode.NO_SEPARATOR,
    SkuProblemCode.SHARED,
    SkuProblemCode.UNFINISHED,
}

_SENTENCES = {
    SkuProblemCode.NO_MARKER: (
        "The product description has no SKU. Add “SKU:” and the SKU as the last thing in the description "
        "in Big Cartel, or enter the SKU here in the portal."
    ),
    SkuProblemCode.OTHER_SPELLING: (
        "The description has “{found}”, and only “SKU:” is read as the start of a SKU. "
        "Write it in capital letters with the colon right behind: “SKU:”."
    ),
    SkuProblemCode.NOTHING_AFTER: (
        "Nothing stands after “SKU:” in the product description. Write the SKU right behind it, on the same line."
    ),
    SkuProblemCode.LINE_BREAK: (
        "There is a line break inside the SKU: “{first}” is followed by “{rest}” on another line. "
        "Make the SKU the last thing in the description, on one line, with nothing after it."
    ),
    SkuProblemCode.CHARACTERS: (
        "The SKU “{sku}” has characters that the warehouse cannot take ({found}). "
        "Delete it and type it again with letters, digits and hyphens."
    ),
    SkuProblemCode.TOO_LONG: (
        "The SKU “{sku}” is {length} characters long, and the warehouse takes {most} at most. "
        "Make the SKU the last thing in the description, with nothing after it, or choose a shorter one."
    ),
    SkuProblemCode.OPTION_MISSING: (
        "The product has options, and this item names none of them, so the end of its SKU is not known. "
        "Enter the SKU of the option here in the portal."
    ),
    SkuProblemCode.DESCRIPTION_TOO_LONG: (
        "The product description is too long or too heavily formatted to look for a SKU in it. "
        "Shorten it or paste it again as plain text in Big Cartel, or enter the SKU here in the portal."
    ),
    SkuProblemCode.SEVERAL_MARKERS: (
        "“SKU:” stands in the description more than once; everything after the first one is read as the SKU. "
        "Leave only one if that is not what you want."
    ),
    SkuProblemCode.SPACE: (
        "The SKU “{sku}” has a space in it. If the warehouse's SKU has none, take the space out, "
        "or remove the text that follows the SKU."
    ),
    SkuProblemCode.NO_SEPARATOR: (
        "The SKU is read as “{sku}”: “{text}” directly followed by the option “{option}”. "
        "If a hyphen belongs between them, write “SKU:{text}-” in the description."
    ),
    SkuProblemCode.UNFINISHED: (
        "The SKU “{sku}” ends as if the name of an option were to follow, and there is none. "
        "Take its last character off if it is not part of the SKU."
    ),
    SkuProblemCode.SHARED: (
        "The SKU “{sku}” belongs to more than one product or option, so the warehouse sends the same goods "
        "for all of them. Give each its own SKU if that is not what you want."
    ),
}


@dataclass(frozen=True, slots=True)
class SkuProblem:
    """The sentence tells the merchant how to mend it; ``stops``: the order has to wait until then."""

    code: SkuProblemCode
    sentence: str
    stops: bool


def problem(code: SkuProblemCode, **words: object) -> SkuProblem:
    quoted = {name: quote(word) if isinstance(word, str) else word for name, word in words.items()}
    return SkuProblem(code, _SENTENCES[code].format(**quoted), code not in _WORTH_A_LOOK)


_OTHER_SPELLING = re.compile(
    # Beside the plain letters those that look alike (full width, Cyrillic, Greek); then what looks like a
    # colon or is typed in its place: full width, small, presentation forms, signs of other scripts.
    r"\b[s\uff53\u0455][ .]?[k\uff4b\u043a\u03ba][ .]?[u\uff55]s?[ .\n]*"
    r"(?:(?:no|nr|num|number|code|id)\b[ .\n]*)?"
    r"[:;=#\uff1a\ufe55\ufe13\ufe30\ua789\u2236\u02d0\u02f8\u0589\u05c3\u0703\u205a]",
    re.IGNORECASE,
)


def quote(text: str, most: int = 40) -> str:
    """The text on one line, cut to a length that fits a sentence."""
    line = text.replace("\n", " ").strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class _Found:
    text: str
    problems: tuple[SkuProblem, ...]

    @property
    def stops(self) -> bool:
        return any(one.stops for one in self.problems)


def _find(description: str) -> _Found:
    """The text after the marker, and what is wrong with the marker."""
    if len(description) > _CACHED_LENGTH:
        return _find_anew(description)
    return _find_cached(description)


def _find_anew(description: str) -> _Found:
    if not is_readable(description):
        return _Found("", (problem(SkuProblemCode.DESCRIPTION_TOO_LONG),))
    before, marker, after = visible_text(description).partition(MARKER)
    if not marker:
        if other := _OTHER_SPELLING.search(before):
            return _Found("", (problem(SkuProblemCode.OTHER_SPELLING, found=other.group()),))
        return _Found("", (problem(SkuProblemCode.NO_MARKER),))
    text = after.strip(" \n")
    if not text:
        return _Found("", (problem(SkuProblemCode.NOTHING_AFTER),))
    return _Found(text, (problem(SkuProblemCode.SEVERAL_MARKERS),) if MARKER in text else ())


_find_cached = lru_cache(maxsize=4096)(_find_anew)


def _check(sku: str) -> tuple[SkuProblem, ...]:
    if sku.isascii() and sku.isprintable() and " " not in sku and len(sku) <= MAX_SKU:
        return ()
    first, line_break, rest = sku.partition("\n")
    if line_break:
        return (problem(SkuProblemCode.LINE_BREAK, first=first.strip(), rest=rest.strip()),)
    if len(sku) > MAX_SKU:
        return (problem(SkuProblemCode.TOO_LONG, sku=sku, length=len(sku), most=MAX_SKU),)
    if refused := dict.fromkeys(character for character in sku if _is_refused(character)):
        names = ", ".join(f"U+{ord(character):04X}" for character in refused)
        return (problem(SkuProblemCode.CHARACTERS, sku="".join("�" if c in refused else c for c in sku), found=names),)
    return (problem(SkuProblemCode.SPACE, sku=sku),) if " " in sku else ()


def _is_refused(character: str) -> bool:
    return unicodedata.category(character) in _REFUSED_CATEGORIES or character in _REFUSED_CHARACTERS


def _complete(
    found: _Found, option_name: str | None, *, has_options: bool, is_final: bool = True
) -> tuple[str, tuple[SkuProblem, ...]]:
    """The final SKU: the option's name, where there is one, directly behind the text."""
    if found.stops:
        return "", found.problems
    option = option_text(option_name)
    if has_options and not option:
        return "", (*found.problems, problem(SkuProblemCode.OPTION_MISSING))
    sku = found.text + option
    if len(sku) <= MAX_SKU and not sku.isascii():
        sku = unicodedata.normalize("NFC", sku)
    problems = found.problems + _check(sku)
    if option and found.text[-1].isalnum() and option[0].isalnum():
        problems += (problem(SkuProblemCode.NO_SEPARATOR, sku=sku, text=found.text, option=option),)
    if any(one.stops for one in problems):
        return "", problems
    if is_final and not option and sku.endswith(("-", "_", "/")):
        problems += (problem(SkuProblemCode.UNFINISHED, sku=sku),)
    return sku, problems


def option_text(option_name: str | None) -> str:
    """The option's name as it is appended; "" for none.

    "Default" in any case is none as well (seen in Big Cartel's products and orders: a product without options
    has one called Default, and its items name none).
    """
    option = clean(option_name or "")
    return "" if option.casefold() == "default" else option


def read_sku(description: str) -> tuple[str, tuple[SkuProblem, ...]]:
    """The text after the first ``SKU:``, to which an option's name may still be added."""
    return _complete(_find(description), None, has_options=False, is_final=False)


def sku_for(description: str, option_name: str | None, *, has_options: bool) -> tuple[str, tuple[SkuProblem, ...]]:
    """The final SKU of an option. ``has_options``: the product has other options than "Default"."""
    return _complete(_find(description), option_name, has_options=has_options)


def sku_by_hand(override: str, option_name: str | None, *, has_options: bool) -> tuple[str, tuple[SkuProblem, ...]]:
    """The final SKU from one that a merchant entered, which must hold something that is visible."""
    return _complete(_Found(clean(override), ()), option_name, has_options=has_options)


def duplicate_skus(skus: Mapping[tuple[str, str], str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """SKUs by (product id, option id) in; each SKU that stands more than once, with all who share it, out."""
    sharing: dict[str, list[tuple[str, str]]] = {}
    for key, sku in skus.items():
        if sku:
            sharing.setdefault(sku, []).append(key)
    return {sku: tuple(keys) for sku, keys in sharing.items() if len(keys) > 1}
