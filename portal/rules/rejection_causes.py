"""The cause behind the warehouse's words for a rejected order, so that orders with the same cause stand together.

The FCP's messages aren't published (ASSUMED): two orders with the same problem may get words that differ in their order
number, quotes, case and punctuation. A message may also repeat what the buyer entered, which must not get into a title.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.clients.failure_kinds import plain_words
from portal.rules.visible_text import clean, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from portal.clients.bigcartel_types import BigCartelAddress

MAX_WORDS = 120
"""Characters of the warehouse's words in a title."""
_LEFT_OUT = "#"
"""What stands for a value that differs from order to order."""

_ITEM = re.compile(r"\b(?:skus?|items?|products?|inventory)\b", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"\b(?:invalid|unknown|un(?:recogni[sz]ed|defined)|no such|nonexistent"
    r"|(?:not|n't|never)(?: be| been)? (?:an? )?"
    r"(?:found|exist\w*|recogni[sz]ed|valid|known|match\w*|set ?up|carried|defined"
    r"|(?:in|on) (?:the |our |your )?(?:catalog\w*|system|inventory|database|file)))\b",
    re.IGNORECASE,
)
_OTHER_FAULT = re.compile(
    r"\b(?:quantit\w*|stock|insufficient|discontinu\w*|inactive|weight|price|value|address\w*|ship\w*|carrier|countr\w*"
    r"|duplicat\w*)\b",
    re.IGNORECASE,
)
_NAMED_AFTER = re.compile(
    r"\b(?:skus?|items?|products?)\b[\s:#=-]*(?:(?:numbers?|codes?|no|ids?)\b\.?[\s:#=-]*)?[^\w.;!?]*"
    r"(?P<sku>[A-Za-z0-9][\w./-]*[A-Za-z0-9])",
    re.IGNORECASE,
)
_LIKE_A_SKU = re.compile(r"(?=.*\d).+|[A-Z0-9]+(?:[-_./][A-Z0-9]+)+|[A-Z]{3,}")
_VARIES = re.compile(r"\S+@\S+|[^\s#]*(?:\d[^\s#\d]*){3,}")
"""Email addresses, and words with three digits or more: order numbers, times, postal codes, phone numbers."""
_THIS_ORDER = re.compile(r"(?:\b(?:for|in|on|of|with) )?(?:\bthis )?\border(?: (?:number|no|id))?\W*#", re.IGNORECASE)
"""Names the order: some messages do, others with the same cause don't."""
_STREET_WORDS = frozenset({
    "street", "avenue", "road", "drive", "lane", "court", "place", "boulevard", "highway", "square", "terrace",
    "parkway", "circle", "trail", "suite", "unit", "floor", "apartment", "building", "room", "north", "south",
    "east", "west", "address", "line", "city", "state", "country", "postal", "code", "zip", "order", "box", "house",
    "number", "center", "centre", "care", "name", "company", "attn",
})  # fmt: skip
"""Words that an address and a message about it both have."""


@dataclass(frozen=True, slots=True)
class Cause:
    """``key`` is the same for the same cause. ``words`` are the warehouse's, without what differs by order."""

    key: str
    words: str
    unknown_skus: tuple[str, ...] = ()
    """Set if the cause is that the warehouse doesn't know these SKUs."""


def cause_of(words: str, *, number: str, skus: Collection[str], personal: Iterable[str] = ()) -> Cause:
    """Return the cause of one order's rejection. ``skus`` are the order's; ``personal`` are the buyer's values."""
    personal = list(personal)
    named = _named(plain_words(words), skus)
    if not named and (found := _NAMED_AFTER.search(plain_words(words, (number, *personal)))):
        named = (found["sku"],) if _LIKE_A_SKU.fullmatch(found["sku"]) else ()
    text = _without_values(words, named, (number, *personal))
    if named and _ITEM.search(text) and _UNKNOWN.search(text) and not _OTHER_FAULT.search(text):
        return Cause(_key("unknown sku", named), _shown(text, named), named)
    return Cause(
        _key(" ".join(re.findall(r"[^\W_]+", _THIS_ORDER.sub(" ", text).casefold())), named), _shown(text, named)
    )


def personal_values(address: BigCartelAddress) -> list[str]:
    """Return what a message may repeat of the buyer's data: whole fields, and the words of names and streets."""
    fields = [
        address.first_name, address.last_name, f"{address.first_name} {address.last_name}", address.address_1,
        address.address_2, address.city, address.zip, address.phone, address.email,
    ]  # fmt: skip
    tokens = [
        word
        for field in (address.first_name, address.last_name, address.address_1, address.address_2, address.city)
        for word in re.findall(r"[^\W\d_]{3,}", field)
        if word.casefold() not in _STREET_WORDS
    ]
    return [value for value in (clean(field) for field in (*fields, *tokens)) if len(value) > 1]


def _named(text: str, skus: Iterable[str]) -> tuple[str, ...]:
    """Return the order's SKUs that the words name, in the order's spelling, sorted."""
    found = set()
    for sku in sorted(set(skus), key=lambda one: (-len(one), one)):
        pattern = _whole(sku)
        if len(sku) > 1 and pattern.search(text):
            found.add(sku)
            text = pattern.sub(" ", text)
    return tuple(sorted(found))


def _whole(sku: str) -> re.Pattern[str]:
    parts = r"\s+".join(map(re.escape, sku.split()))
    return re.compile(rf"(?<![\w-]){parts}(?![\w-]|[./]\w)", re.IGNORECASE)


def _without_values(words: str, named: Iterable[str], values: Iterable[str]) -> str:
    text = plain_words(words)
    for place, sku in enumerate(named):
        text = _whole(sku).sub(_slot(place), text)
    text = plain_words(text, values)
    return re.sub(r"#(?:\W*#)+", _LEFT_OUT, " ".join(_VARIES.sub(_LEFT_OUT, text).split()))


def _slot(place: int) -> str:
    """Return a stand-in for a SKU that nothing else changes: a private-use character."""
    return chr(0xE000 + place)


def _shown(text: str, named: tuple[str, ...]) -> str:
    for place, sku in enumerate(named):
        text = text.replace(_slot(place), sku)
    return shorten(clean(re.sub(r"\s+([.,;:!?])", r"\1", text.replace(_LEFT_OUT, "…"))).rstrip(" ."), MAX_WORDS)


def _key(text: str, named: Iterable[str]) -> str:
    return "|".join([text, *(sku.casefold() for sku in named)])
