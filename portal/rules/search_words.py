"""The words by which orders are found: what is stored of an order and what people type, brought to one spelling.

A word has only letters, digits, and "@": case, accents, punctuation, and characters that nobody sees don't count. So
``#haxb-286540`` and ``HAXB286540`` are the same word, as are "Muñoz" and "munoz".
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

LONGEST_WORD = 64
"""Characters of a word that count. PostgreSQL refuses an index entry of more than 2 KB."""
MOST_STORED = 200
"""Words that are stored of one order."""
MOST_TYPED = 8
"""Words of a search that count."""
LONGEST_TYPED = 200
"""Characters of a search that count."""
SHORTEST_PREFIX = 3
"""A shorter word is found only as a whole: in a large database, too many words begin with one or two letters."""
_FIRST_IDEOGRAPH = "\u2e80"
"""Words in Chinese, Japanese and Korean have few characters, so that one says enough."""
_BREAK = "-"
# Letters that aren't made of another letter and a mark, as people without the key type them.
_AS_TYPED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t"}
)


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody searches for: an order matches if it has all the words, or the ``joined`` one."""

    words: tuple[str, ...] = ()
    joined: str = ""
    """All words as one, if they may be a number with blanks in it; otherwise "".

    If each has a digit, there are no other ``words``: millions of tracking numbers begin with the same four digits.
    """

    def matches(self, stored: Collection[str]) -> bool:
        """Return whether an order with these stored words is found."""
        ways = (self.words, (self.joined,) if self.joined else ())
        return any(way and all(any(_is_found(word, one) for one in stored) for word in way) for way in ways)

    @property
    def is_empty(self) -> bool:
        return not self.words and not self.joined

    @property
    def whole(self) -> str:
        """The search as one word, for what is found only as a whole."""
        return self.joined or "".join(self.words)


def read_query(text: str) -> Query:
    """Return the words of a search. Text without a letter or digit has none, and finds nothing."""
    found = tuple(dict.fromkeys(_cut(words(text[:LONGEST_TYPED]))))[:MOST_TYPED]
    joined = "".join(found)[:LONGEST_WORD]
    with_digits = sum(any(character.isdigit() for character in word) for word in found)
    if len(found) < 2 or not with_digits:
        return Query(found)
    return Query(() if with_digits == len(found) else found, joined)


def merchant_word(merchant_id: int) -> str:
    """Return the word that every order of the merchant has. Nobody can type it."""
    return f"={merchant_id}"


def is_prefix(word: str) -> bool:
    """Return whether the typed word also finds longer words, which begin with it."""
    return len(word) >= SHORTEST_PREFIX or any(character >= _FIRST_IDEOGRAPH for character in word)


def words(text: str) -> list[str]:
    """Return the words of a text. Punctuation within a word is left out."""
    return [word for one in _folded(text).split() if (word := one.replace(_BREAK, ""))]


def order_words(
    number: str,
    *,
    skus: Iterable[str] = (),
    tracking_numbers: Iterable[str] = (),
    buyers: Iterable[tuple[str, str, str]] = (),
) -> str:
    """Return the words by which an order is found, each once, with a blank between them.

    Each of ``buyers`` is a first name, a last name, and an email address.
    """
    found = [*words(number), *(part for part in _parts(number) if part.isdigit())]
    for first_name, last_name, email in buyers:
        found += [*_name_words(first_name, last_name), _as_one(email)]
    for tracking_number in tracking_numbers:
        found.append(_as_one(tracking_number))
    for sku in skus:
        found += [*words(sku), _as_one(sku)]
    return " ".join(list(dict.fromkeys(_cut(found)))[:MOST_STORED])


def _name_words(first_name: str, last_name: str) -> Iterator[str]:
    """Yield the words of a name: "Jean-Luc O'Hara" also as Luc and Hara, and 王 小明 also without the blank."""
    for name in (first_name, last_name):
        yield from words(name)
        yield from _parts(name)
    first, last = _as_one(first_name), _as_one(last_name)
    if first and last and any(character >= _FIRST_IDEOGRAPH for character in first + last):
        yield last + first
        yield first + last


def _is_found(typed: str, stored: str) -> bool:
    return stored.startswith(typed) if is_prefix(typed) else stored == typed


def _as_one(text: str) -> str:
    return "".join(words(text))


def _parts(text: str) -> list[str]:
    """Return what is between blanks and punctuation."""
    return _folded(text).replace(_BREAK, " ").split()


def _cut(found: Iterable[str]) -> Iterator[str]:
    return (word[:LONGEST_WORD] for word in found if word)


@lru_cache(maxsize=20_000)
def _folded(text: str) -> str:
    """Return the text with "-" for all punctuation, without case, accents, and invisible characters."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(_AS_TYPED)
    return unicodedata.normalize("NFC", "".join(_kept(character) for character in plain))


def _kept(character: str) -> str:
    if character.isspace() or character in ",;":
        return " "
    kind = unicodedata.category(character)
    if kind[0] in "LN" or kind == "Mc" or character == "@":
        return character
    # Accents, joiners, direction marks, and other characters that nobody sees.
    return "" if kind in {"Mn", "Me", "Cf", "Cc", "Cs", "Cn"} else _BREAK
