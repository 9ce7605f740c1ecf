"""Read the SKU from a product description: the visible text after the first ``SKU:``.

Every function that reads a SKU returns *(SKU, problems)* and never raises, whatever the text. The SKU is empty if any
problem stops the order, so a doubtful SKU can't be sent by mistake.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.rules.look_alikes import look_alikes, named, other_letters
from portal.rules.visible_text import SPACES, clean, is_readable, shorten, visible_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKER = "SKU:"

# ASSUMED: the FCP does not publish which characters, or how many, it accepts in a Sku element. Until it does: at most
# 64, with no control, private-use or unassigned characters and none that replace a lost character.
MAX_SKU = 64
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_FORBIDDEN_CHARACTERS = frozenset("\ufffc\ufffd")

_CACHED_LENGTH = 20_000
MAX_NAMED = 3
"""Characters that one sentence names."""


class SkuProblemCode(StrEnum):
    """What can be wrong with a SKU: the first nine stop the order, the others are warnings.

    LOOK_ALIKES is only a warning in a SKU that a person entered: the warehouse's own SKU may have such a character.
    """

    NO_MARKER = "no_marker"
    OTHER_SPELLING = "other_spelling"
    NOTHING_AFTER = "nothing_after"
    LINE_BREAK = "line_break"
    CHARACTERS = "characters"
    LOOK_ALIKES = "look_alikes"
    TOO_LONG = "too_long"
    OPTION_MISSING = "option_missing"
    DESCRIPTION_TOO_LONG = "description_too_long"
    SEVERAL_MARKERS = "several_markers"
    SPACE = "space"
    OTHER_LETTERS = "other_letters"
    NO_SEPARATOR = "no_separator"
    SHARED = "shared"
    UNFINISHED = "unfinished"


_WARNINGS = {
    SkuProblemCode.SEVERAL_MARKERS,
    SkuProblemCode.SPACE,
    SkuProblemCode.OTHER_LETTERS,
    SkuProblemCode.NO_SEPARATOR,
    SkuProblemCode.SHARED,
    SkuProblemCode.UNFINISHED,
}

_SENTENCES = {
    SkuProblemCode.NO_MARKER: (
        "The product description has no SKU. Add “SKU:” followed by the SKU at the very end of the description "
        "in Big Cartel."
    ),
    SkuProblemCode.OTHER_SPELLING: (
        "The description has “{found}”, but only “SKU:” marks a SKU. "
        "Change it to “SKU:”, in capital letters with no space before the colon."
    ),
    SkuProblemCode.NOTHING_AFTER: (
        "There is nothing after “SKU:” in the product description. Add the SKU right after it, on the same line."
    ),
    SkuProblemCode.LINE_BREAK: (
        "The text after “SKU:” has a line break: “{first}” is followed by “{rest}” on a new line. "
        "Put the SKU on one line at the very end of the description, with nothing after it."
    ),
    SkuProblemCode.CHARACTERS: (
        "The SKU “{sku}” has characters that the warehouse can't accept ({found}). "
        "Delete it and type it again using letters, digits and hyphens."
    ),
    SkuProblemCode.LOOK_ALIKES: (
        "The SKU “{sku}” has a character that only looks like a plain one: {found}. "
        "Delete it and type it again on a keyboard. If the warehouse's SKU really has it, enter the SKU under Products."
    ),
    SkuProblemCode.TOO_LONG: (
        "The SKU “{sku}” is {length} characters long; the warehouse accepts at most {limit}. "
        "Put the SKU at the very end of the description, with nothing after it, or use a shorter SKU."
    ),
    SkuProblemCode.OPTION_MISSING: (
        "The product has options, but this item doesn't name one, so we can't tell how its SKU ends. "
        "Enter the option's SKU under Products."
    ),
    SkuProblemCode.DESCRIPTION_TOO_LONG: (
        "The product description is too long or too heavily formatted to search for a SKU. "
        "Shorten it or paste it again as plain text in Big Cartel."
    ),
    SkuProblemCode.SEVERAL_MARKERS: (
        "“SKU:” appears more than once in the description. We use everything after the first one as the SKU. "
        "If that's not what you want, leave only one."
    ),
    SkuProblemCode.SPACE: (
        "The SKU “{sku}” contains a space. If the warehouse's SKU has no space, remove it, "
        "or remove any text after the SKU."
    ),
    SkuProblemCode.OTHER_LETTERS: (
        "The SKU “{sku}” mixes alphabets: {found}. If the warehouse's SKU has only Latin letters, type it again."
    ),
    SkuProblemCode.NO_SEPARATOR: (
        "The SKU is “{sku}”: “{text}” directly followed by the option “{option}”. "
        "If there should be a hyphen between them, write “SKU:{text}-” in the description."
    ),
    SkuProblemCode.UNFINISHED: (
        "The SKU “{sku}” ends as if an option name should follow, but none does. "
        "If the last character isn't part of the SKU, remove it."
    ),
    SkuProblemCode.SHARED: (
        "More than one product or option has the SKU “{sku}”, so the warehouse ships the same item for all of them. "
        "If that's not what you want, give each its own SKU."
    ),
}


@dataclass(frozen=True, slots=True)
class SkuProblem:
    """A problem or warning, told to the merchant in ``sentence``; ``stops`` holds the order until it is fixed."""

    code: SkuProblemCode
    sentence: str
    stops: bool


def problem(code: SkuProblemCode, *, stops: bool = True, found: str = "", **words: object) -> SkuProblem:
    """Build the problem, filling its sentence with ``found`` and ``words``; those are shortened where they are text.

    Warnings never stop an order, whatever ``stops`` says.
    """
    quoted = {name: shorten(word) if isinstance(word, str) else word for name, word in words.items()}
    return SkuProblem(code, _SENTENCES[code].format(found=found, **quoted), stops and code not in _WARNINGS)


_OTHER_SPELLING = re.compile(
    # Plain letters and their look-alikes (full-width, Cyrillic, Greek), then a colon or what is typed instead of one:
    # full-width, small and presentation forms, and signs from other scripts.
    r"\b[s\uff53\u0455][ .]?[k\uff4b\u043a\u03ba][ .]?[u\uff55]s?[ .\n]*"
    r"(?:(?:no|nr|num|number|code|id)\b[ .\n]*)?"
    r"[:;=#\uff1a\ufe55\ufe13\ufe30\ua789\u2236\u02d0\u02f8\u0589\u05c3\u0703\u205a]",
    re.IGNORECASE,
)


def other_spelling(text: str) -> re.Match[str] | None:
    """Return the first thing in a visible text that was probably meant as ``SKU:``."""
    return _OTHER_SPELLING.search(text)


@dataclass(frozen=True, slots=True)
class _Found:
    text: str
    problems: tuple[SkuProblem, ...]

    @property
    def stops(self) -> bool:
        return any(one.stops for one in self.problems)


def _find(description: str) -> _Found:
    """Return the text after the marker, and any problems with the marker."""
    if len(description) > _CACHED_LENGTH:
        return _find_uncached(description)
    return _find_cached(description)


def _find_uncached(description: str) -> _Found:
    if not is_readable(description):
        return _Found("", (problem(SkuProblemCode.DESCRIPTION_TOO_LONG),))
    before, marker, after = visible_text(description, keep_special_spaces=True).partition(MARKER)
    if not marker:
        if other := other_spelling(clean(before)):
            return _Found("", (problem(SkuProblemCode.OTHER_SPELLING, found=shorten(other.group())),))
        return _Found("", (problem(SkuProblemCode.NO_MARKER),))
    text = after.strip(f"{SPACES}\n")
    if not text:
        return _Found("", (problem(SkuProblemCode.NOTHING_AFTER),))
    return _Found(text, (problem(SkuProblemCode.SEVERAL_MARKERS),) if MARKER in text else ())


_find_cached = lru_cache(maxsize=4096)(_find_uncached)


def _check(sku: str, *, are_look_alikes_meant: bool) -> tuple[SkuProblem, ...]:
    if sku.isascii() and sku.isprintable() and " " not in sku and len(sku) <= MAX_SKU:
        return ()
    first, line_break, rest = sku.partition("\n")
    if line_break:
        return (problem(SkuProblemCode.LINE_BREAK, first=first.strip(), rest=rest.strip()),)
    if len(sku) > MAX_SKU:
        return (problem(SkuProblemCode.TOO_LONG, sku=sku, length=len(sku), limit=MAX_SKU),)
    if bad := dict.fromkeys(character for character in sku if is_forbidden(character)):
        names = ", ".join(f"U+{ord(character):04X}" for character in bad)
        return (problem(SkuProblemCode.CHARACTERS, sku="".join("�" if c in bad else c for c in sku), found=names),)
    problems = []
    if found := look_alikes(sku):
        problems.append(
            problem(SkuProblemCode.LOOK_ALIKES, stops=not are_look_alikes_meant, sku=sku, found=_named(found))
        )
    if found := other_letters(sku):
        problems.append(problem(SkuProblemCode.OTHER_LETTERS, sku=sku, found=_named(found)))
    if " " in sku:
        problems.append(problem(SkuProblemCode.SPACE, sku=sku))
    return tuple(problems)


def _named(characters: tuple[str, ...]) -> str:
    names = [named(character) for character in characters[:MAX_NAMED]]
    return " and ".join(names) + (" and more" if len(characters) > MAX_NAMED else "")


def is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in _FORBIDDEN_CATEGORIES or character in _FORBIDDEN_CHARACTERS


def _complete(
    found: _Found, option_name: str | None, *, has_options: bool, is_final: bool = True, by_hand: bool = False
) -> tuple[str, tuple[SkuProblem, ...]]:
    """Return the final SKU: the text directly followed by the option's name, if any."""
    if found.stops:
        return "", found.problems
    option = option_text(option_name)
    if has_options and not option:
        return "", (*found.problems, problem(SkuProblemCode.OPTION_MISSING))
    ending = clean(option_name or "", keep_special_spaces=True) if option else ""
    sku = found.text + ending
    if len(sku) <= MAX_SKU and not sku.isascii():
        sku = unicodedata.normalize("NFC", sku)
    problems = found.problems + _check(sku, are_look_alikes_meant=by_hand and not look_alikes(ending))
    if option and found.text[-1].isalnum() and option[0].isalnum():
        problems += (problem(SkuProblemCode.NO_SEPARATOR, sku=sku, text=found.text, option=option),)
    if any(one.stops for one in problems):
        return "", problems
    if is_final and not option and sku.endswith(("-", "_", "/")):
        problems += (problem(SkuProblemCode.UNFINISHED, sku=sku),)
    return sku, problems


@lru_cache(maxsize=4096)
def option_text(option_name: str | None) -> str:
    """Return the option's name as appended to the SKU, "" for none.

    "Default" in any case counts as none: in Big Cartel's data, a product without options has one named Default, and its
    order lines name no option.
    """
    option = clean(option_name or "")
    return "" if option.casefold() == "default" else option


def read_sku(description: str) -> tuple[str, tuple[SkuProblem, ...]]:
    """Read the text after the first ``SKU:``, before any option's name is appended."""
    return _complete(_find(description), None, has_options=False, is_final=False)


def sku_for(description: str, option_name: str | None, *, has_options: bool) -> tuple[str, tuple[SkuProblem, ...]]:
    """Return an option's final SKU. ``has_options``: the product has options other than "Default"."""
    return _complete(_find(description), option_name, has_options=has_options)


def sku_by_hand(override: str, option_name: str | None, *, has_options: bool) -> tuple[str, tuple[SkuProblem, ...]]:
    """Return the final SKU from one a merchant entered, which must contain visible text."""
    return _complete(_Found(clean(override), ()), option_name, has_options=has_options, by_hand=True)


def duplicate_skus(skus: Mapping[tuple[str, str], str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Map each SKU used more than once to the (product id, option id) keys that share it, given the SKUs by key."""
    sharing: dict[str, list[tuple[str, str]]] = {}
    for key, sku in skus.items():
        if sku:
            sharing.setdefault(sku, []).append(key)
    return {sku: tuple(keys) for sku, keys in sharing.items() if len(keys) > 1}
