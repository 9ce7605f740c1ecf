"""Guess from the names of shipping rates whether the buyer collects the order in person.

ASSUMED: Big Cartel doesn't document how it marks pickup orders, so the labels of the order's adjustments are the only
clue. The label of a shipping profile's rate is "<profile> - [<rate>] <text>" (seen in use). A profile's name may be
anything, such as "Fall Collection", so what counts is the rate's name, unless it says nothing about shipping.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.rules.pickup_words import CARRIERS_POINTS, PICKUP, SHIPPED
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 1_000
"""Characters of a label or note that are looked at."""
_PROFILE_AND_RATE = re.compile(r"(?P<profile>.*?)\s+[-\u2010-\u2015]\s+\[(?P<rate>[^\[\]]*)\](?P<text>.*)")
_CODE_AND_NAME = re.compile(r"\[(?P<code>[^\[\]]*)\](?P<name>.*)")
_COLLECTION = re.compile(
    r"(?:(?:free|local|customer|buyer|own|shop|studio|store|office|warehouse|same day) )*collections?"
    r"(?: (?:only|point|by|on|free|\d|mon|tue|wed|thu|fri|sat|sun).*)?"
)
"""The British word for a pickup, if the rate's name is about nothing else: a collection is also a range of products."""
_IN_CODES = ("pickup", "localcollect", "clickcollect", "abhol", "curbside")
_DENIED = re.compile(
    r"\b(?:no|not|never|without|isn ?t|non|kein\w*|nicht|pas|sans|sin|senza|geen|niet|bez|без)"
    r"(?: (?:a|an|for|available|local|free|store|de|la|le|any|as|eligible))*"
    r" (?:pick|collect|abhol|retrait|recog|retir|ritir|afhal|ophal|odbi|самовыв|curb|hand|drop|meet)\w*"
    r"(?: ?(?:up|off)s?\b)?"
    r"|\b(?:pick ?ups?|collection|abholung|retrait|recogida|ritiro|afhalen) (?:is |est |es |non e )?"
    r"(?:not|unavailable|no longer|nicht|impossible|interdit|niet|no disponible|non disponible|indisponible)\b"
)
_PICK_IT_UP = re.compile(r"\bpick (?:\w+ ){1,3}up\b")


@lru_cache(maxsize=1024)
def rate_name(label: str) -> str:
    """Return the name by which a merchant marks the shipping rate in an adjustment's label.

    It is the whole label if that names no profile, or if the profile's name alone sounds like a pickup: a rate called
    "Free" may be one in that profile, and none in the others.
    """
    text = _on_one_line(label)
    found = _PROFILE_AND_RATE.fullmatch(text)
    if found is None or (is_pickup(text) and not is_pickup(found["rate"])):
        return text
    return found["rate"].strip() or text


@lru_cache(maxsize=1024)
def rate_key(name: str) -> str:
    """Return a rate's name in the form in which a merchant's marks are stored and compared."""
    return unicodedata.normalize("NFKC", _on_one_line(name)).casefold()


@lru_cache(maxsize=1024)
def is_pickup(label: str) -> bool:
    """Return whether the label of an adjustment that may name a shipping rate sounds like a pickup."""
    found = _PROFILE_AND_RATE.fullmatch(_on_one_line(label))
    if found is None:
        return _sounds_like_pickup(label) or _COLLECTION.fullmatch(_words(label)) is not None
    rate, text = found["rate"], found["text"]
    if _sounds_like_pickup(rate) or _sounds_like_pickup(text) or _COLLECTION.fullmatch(_words(rate)):
        return True
    return _sounds_like_pickup(found["profile"]) and not _SHIPPED.search(_words(f"{rate} {text}"))


def is_pickup_discount(label: str) -> bool:
    """Return whether a discount's label, "[<code>] <name>", sounds like a pickup. A code runs words together."""
    found = _CODE_AND_NAME.fullmatch(_on_one_line(label))
    if found is None:
        return _sounds_like_pickup(label)
    code = _words(found["code"]).replace(" ", "")
    return _sounds_like_pickup(found["name"]) or any(word in code for word in _IN_CODES) or bool(_CODE.fullmatch(code))


def speaks_of_pickup(note: str) -> bool:
    """Return whether a buyer's note sounds as if they want to pick the order up."""
    return _sounds_like_pickup(note)


def _sounds_like_pickup(text: str) -> bool:
    words = _DENIED.sub(" ", _words(text))
    return bool(_PICKUP.search(words) or _PICK_IT_UP.search(words)) and not _CARRIERS_POINT.search(words)


def _on_one_line(text: str) -> str:
    return clean(text[:_LONGEST]).replace("\n", " ")


@lru_cache(maxsize=4096)
def _words(text: str) -> str:
    """Return the words of a text in lower case, without accents and punctuation."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clean(text[:_LONGEST]))
    plain = unicodedata.normalize("NFKD", parted.casefold()).replace("\u0131", "i")
    plain = plain.replace("&", " and ").replace("+", " and ")
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(re.sub(r"[\W_]+", " ", letters).split())


def _any_of(phrases: Iterable[str]) -> str:
    """Return a pattern for any of the phrases, in the form that _words() gives."""
    forms = {
        (r"\w*" if phrase.startswith("*") else "")
        + re.escape(_words(phrase))
        + (r"\w*" if phrase.endswith("*") else "")
        for phrase in phrases
    }
    return rf"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


_ANY_PICKUP = _any_of(phrase for phrases in PICKUP.values() for phrase in phrases)
_PICKUP = re.compile(rf"\b{_ANY_PICKUP}\b")
_CODE = re.compile(
    rf"(?:\d|free|local|gratis|gratuit)*{_ANY_PICKUP}(?:\d|free|local|gratis|gratuit)*".replace("\\ ", "")
)
_SHIPPED = re.compile(rf"\b{_any_of(SHIPPED)}\b")
_CARRIERS_POINT = re.compile(rf"\b{_any_of(CARRIERS_POINTS)}\b")
