"""The line of a description that a SKU problem is about, with the faulty part marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.look_alikes import look_alikes, other_letters
from portal.rules.sku import MARKER, MAX_SKU, SkuProblemCode, is_forbidden, other_spelling
from portal.rules.visible_text import visible_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_EXCERPT = 160
"""Characters of the description that are shown."""
_LEAD = 60
"""Characters shown before the first marked one, at least where the line has so many."""
_UNSEEN = frozenset({SkuProblemCode.DESCRIPTION_TOO_LONG})

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of the visible text, in parts: each is a text and whether it is marked as faulty.

    ``has_marker`` says whether the description has "SKU:" somewhere. ``is_cut`` and ``is_cut_after`` say that the line
    goes on before or after the piece.
    """

    parts: tuple[tuple[str, bool], ...]
    has_marker: bool
    is_cut: bool = False
    is_cut_after: bool = False

    @property
    def text(self) -> str:
        return "".join(part for part, _ in self.parts)

    @property
    def has_marks(self) -> bool:
        return any(is_marked for _, is_marked in self.parts)


def excerpt(description: str, code: SkuProblemCode) -> Excerpt | None:
    """Return the line with the problem, else the line of the SKU, else the last one; None if nothing can be shown.

    Nothing is marked where the problem isn't in the description's own text, but in an option's name for example.
    """
    if code in _UNSEEN:
        return None
    # Where a special space is the problem, it has to stay; a marker in another spelling is found without them.
    text = visible_text(description, keep_special_spaces=code is not SkuProblemCode.OTHER_SPELLING)
    at = text.find(MARKER)
    spans = list(_spans(text, at, code))
    anchor = at if at >= 0 else spans[0][0] if spans else len(text)
    if code is SkuProblemCode.SEVERAL_MARKERS and spans:
        anchor = spans[0][0]
    start = text.rfind("\n", 0, anchor) + 1
    end = text.find("\n", spans[-1][1] - 1 if spans else anchor)
    end = len(text) if end < 0 else end
    first = spans[0][0] if spans else anchor
    begin = max(start, min(first - _LEAD, end - MAX_EXCERPT))
    stop = min(end, begin + MAX_EXCERPT)
    return Excerpt(tuple(_parts(text, begin, stop, spans)), at >= 0, begin > start, stop < end)


def _spans(text: str, at: int, code: SkuProblemCode) -> Iterator[Span]:
    """Yield where the faulty parts are, in order and without overlaps."""
    if at < 0:
        if code is SkuProblemCode.OTHER_SPELLING and (found := other_spelling(text)):
            yield found.span()
        return
    after = at + len(MARKER)
    sku = text[after:]
    start = after + len(sku) - len(sku.lstrip())
    match code:
        case SkuProblemCode.NOTHING_AFTER:
            yield at, after
        case SkuProblemCode.LINE_BREAK:
            if "\n" in (rest := text[start:]):
                yield start + rest.index("\n") + 1, len(text)
        case SkuProblemCode.TOO_LONG:
            if len(text) > start + MAX_SKU:
                yield start + MAX_SKU, len(text)
        case SkuProblemCode.UNFINISHED:
            yield len(text) - 1, len(text)
        case SkuProblemCode.SEVERAL_MARKERS:
            yield from (found.span() for found in re.finditer(re.escape(MARKER), text) if found.start() > at)
        case _:
            faulty = _faulty_characters(text[start:], code)
            yield from (
                (place, place + 1) for place, character in enumerate(text[start:], start) if character in faulty
            )


def _faulty_characters(sku: str, code: SkuProblemCode) -> Collection[str]:
    match code:
        case SkuProblemCode.CHARACTERS:
            return {character for character in sku if character != "\n" and is_forbidden(character)}
        case SkuProblemCode.LOOK_ALIKES:
            return look_alikes(sku)
        case SkuProblemCode.OTHER_LETTERS:
            return other_letters(sku)
        case SkuProblemCode.SPACE:
            return " "
        case _:
            return ()


def _parts(text: str, begin: int, stop: int, spans: list[Span]) -> Iterator[tuple[str, bool]]:
    """Yield the text from ``begin`` to ``stop``, split at the edges of the spans; those that touch are one part."""
    place = begin
    marked = ""
    for start, end in ((max(start, begin), min(end, stop)) for start, end in spans):
        if start >= end:
            continue
        if start > place:
            if marked:
                yield marked, True
                marked = ""
            yield text[place:start], False
        marked += text[start:end]
        place = end
    if marked:
        yield marked, True
    if place < stop:
        yield text[place:stop], False
