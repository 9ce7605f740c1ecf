"""Find signs of a cancellation or a refund in what Big Cartel says about an order.

How Big Cartel's API shows them isn't published, only that either can happen without the other, that ``payment_status``
alone may not tell, and that a refund may be made at the payment provider (help center: refund-an-order). So any field,
type, status or message counts that speaks of one, unless it says that nothing of the kind happened. What buyers and
merchants write, such as names and notes, doesn't count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from portal.clients.jsonapi import dumps, mapping

_SPEAKS = re.compile(
    r"\b(?:cancel(?:l?ed|l?ing|s|l?ations?|lation)?|refund(?:ed|ing|s)?|voided|void|charge ?backs?|charged back"
    r"|disput(?:e|es|ed)|revers(?:ed|als?)|return(?:ed|s)|money back)\b"
)
_HINTS = ("cancel", "refund", "void", "charge", "disput", "revers", "return", "money")
_HINT = re.compile("|".join(_HINTS), re.IGNORECASE)
"""What every text that speaks of it contains. Most contain none of it, and this is quickly seen."""
_POSSIBLE_ONLY = re.compile(
    r"\b(?:can|could|may|might|is able|able|allow(?:s|ed)?|until|deadline|window|policy|url|link|max|maximum|available"
    r"|remaining|eligible|(?:non )?refundable|cancell?able|accepts?|accepted|cancel by)\b"
)
"""In a field's name: it says whether or until when it could be done, not that it was."""
_WORD = r"(?:cancel|refund|void|charge|disput|revers|return)\w*"
_NOT_DONE = re.compile(
    rf"\b(?:not?|non|never|without|isn t|wasn t|hasn t|un)(?: (?!{_WORD})\w+){{0,2}} {_WORD}"
    rf"(?: (?:back )?(?:or|nor) {_WORD})*|\bun{_WORD}"
)
_ONLY = re.compile(
    r"(?:(?:order|payment|item|shipment|status|is|was|has|been|to|partial|partially|full|fully|paid|unpaid|pending) )*"
    rf"(?:{_SPEAKS.pattern})"
    r"(?: (?:by|at|on|in|from|via|and|order|partially|fully|partial|full|request\w*|pending)\b.*)?"
)
"""A text that says nothing else, so it is a sign in a field of any name, such as ``substatus`` or ``flags``."""
_CLAUSE = re.compile(r"[,;.:!?()\u2013\u2014](?=\s|$)")
_IS_STATUS = re.compile(
    r"\bstatus(?:es)?\b|(?:\b|sub)(?:status|state|identifier|type|kind|action|event|reason|code|source)$"
)
_IS_MESSAGE = re.compile(r"\b(?:message|label|title|description|detail|name|text|body|summary)$")
_BY_PEOPLE = re.compile(
    r"^(?:(?:customer|buyer|shipping|billing) (?:first|last|full|name|email|phone|note|company|address|city|state|zip"
    r"|postal|country|opted|latitude|longitude)|product (?:name|option)|option name|category|image|store"
    r"|recipient|referr\w+|utm|(?:discounts?|coupons?|promo|promotions?|gift)(?: card)?(?: code)?)\b"
    r"|\b(?:company|note|notes|url|urls)$"
)
"""Names of fields with text by buyers or merchants."""
_NOTHING = frozenset({"", "0", "no", "n", "none", "null", "nil", "false", "f", "off", "never", "nothing", "na", "n a"})
_ZERO = re.compile(r"[^0-9]*0*(?:[.,]0*)?[^0-9]*")
_UNITS = re.compile(r"\b(?:currency|code|unit|sign|symbol|locale)$")
"""Names of fields beside an amount that say nothing about it."""
_MINUS = re.compile(r"[-\u2010-\u2015\u2212(]")
_MAX_DEPTH = 6


def signs_of_cancellation(
    attributes: Mapping[str, Any], relationships: Mapping[str, Any], others: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return what an order's own fields say about a cancellation or refund, without the buyer's data.

    ``others`` are the fields beside its attributes.
    """
    if not may_hold_signs([attributes, relationships, others]):
        return ()
    found = [*_in_fields(attributes, has_messages=False), *_in_fields(others, has_messages=False)]
    found += (f"it has {what}" for what in _in_relationships(relationships))
    return tuple(dict.fromkeys(found))


def _in_relationships(relationships: Mapping[str, Any]) -> Iterator[str]:
    for name, related in relationships.items():
        data = mapping(related).get("data")
        if _names_it(name) and (data or _is_set(mapping(related).get("meta"))):
            yield _words(name)
        for one in data if isinstance(data, list) else [data]:
            kind = mapping(one).get("type")
            if isinstance(kind, str) and _names_it(kind):
                yield _words(kind)


def signs_in_part(kind: str, part: Mapping[str, Any], *, has_messages: bool) -> tuple[str, ...]:
    """Return what a part of an order says about a cancellation or refund: an item, payment, event or adjustment.

    ``kind`` is its type in the singular. Unless it ``has_messages``, its texts are the merchant's own and don't count.
    """
    called, is_sign = _name_of(kind)
    attributes = mapping(part.get("attributes"))
    found = [f"{called} is part of it"] if is_sign else []
    if may_hold_signs(part):
        found += [f"in {called}, {sign}" for sign in _in_fields(attributes, has_messages=has_messages)]
        found += (f"{called} has {what}" for what in _in_relationships(mapping(part.get("relationships"))))
    if is_payment(kind) and _is_negative(attributes.get("amount")):
        found.append(f"{called} has a negative amount")
    return tuple(dict.fromkeys(found))


def is_payment(kind: str) -> bool:
    """Return whether a part of this type has an amount that is negative if the buyer got money back."""
    return kind.startswith("order_transaction")


def may_hold_signs(value: object) -> bool:
    """Return whether a sign may be anywhere in a JSON value, negative amounts aside: few have one of the words."""
    try:
        text = dumps(value).casefold()
    except RecursionError:
        return True
    return any(hint in text for hint in _HINTS)


@lru_cache(maxsize=256)
def _name_of(kind: str) -> tuple[str, bool]:
    """Return what a sentence calls a part of this type, and whether the type itself is a sign."""
    called = _words(kind.removeprefix("order_").rsplit("/", 1)[-1]) or "part"
    return f"{'an' if called[0] in 'aeiou' else 'a'} {called}", _says(_words(kind))


@lru_cache(maxsize=256)
def speaks_of_cancellation(text: str) -> bool:
    """Return whether a status, such as ``refunded`` or ``partially-refunded``, means a cancellation or refund."""
    return _speaks(text)


class _Role(Enum):
    """What a field's name says about its value."""

    NO_SIGN = auto()
    """Words of the buyer or merchant, or only what could be done."""
    SIGN = auto()
    """The name speaks of it, so any value that is set is a sign."""
    STATUS = auto()
    MESSAGE = auto()
    OTHER = auto()


@lru_cache(maxsize=4096)
def _role(name: str) -> _Role:
    words = _words(name)
    if _BY_PEOPLE.search(words):
        return _Role.NO_SIGN
    if _says(words):
        return _Role.NO_SIGN if _POSSIBLE_ONLY.search(words) else _Role.SIGN
    if _IS_STATUS.search(words):
        return _Role.STATUS
    return _Role.MESSAGE if _IS_MESSAGE.search(words) else _Role.OTHER


def _in_fields(
    fields: Mapping[str, Any], *, has_messages: bool, within: _Role = _Role.OTHER, depth: int = 0
) -> Iterator[str]:
    """Yield the signs in fields that are ``within`` a field with that role."""
    for name, value in fields.items():
        role = _role(name) if value else _Role.NO_SIGN
        role = within if role is _Role.OTHER else role
        if role is _Role.NO_SIGN:
            continue
        if role is _Role.SIGN:
            if _is_set(value) and not _is_not_done(value):
                yield f"“{_words(name)}” is set"
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield from _in_text(name, one, role, has_messages=has_messages)
            elif depth < _MAX_DEPTH:
                deeper = {str(key): inner for key, inner in enumerate(one)} if isinstance(one, list) else mapping(one)
                yield from _in_fields(deeper, has_messages=has_messages, within=role, depth=depth + 1)


def _in_text(name: str, text: str, role: _Role, *, has_messages: bool) -> Iterator[str]:
    if role is _Role.MESSAGE:
        if has_messages and _speaks(text):
            yield f"“{_words(name)}” speaks of it"
    elif _speaks(text) and (role is _Role.STATUS or _ONLY.fullmatch(_words(text))):
        yield f"“{_words(name)}” is “{_words(text)[:40]}”"


def _speaks(text: str) -> bool:
    """Return whether any clause of a text speaks of it: "Not shipped, refunded" does."""
    return _HINT.search(text) is not None and any(_says(_words(clause)) for clause in _CLAUSE.split(text[:1000]))


@lru_cache(maxsize=4096)
def _names_it(name: str) -> bool:
    return _says(_words(name))


def _says(words: str) -> bool:
    return bool(_SPEAKS.search(_NOT_DONE.sub(" ", words)))


def _is_not_done(value: object) -> bool:
    """Return whether the value of a field that speaks of it says that it didn't happen, such as ``not_refunded``."""
    return isinstance(value, str) and not _speaks(value) and bool(_NOT_DONE.search(_words(value)))


def _is_set(value: object, depth: int = 0) -> bool:
    if isinstance(value, str):
        text = value.strip()
        return _words(text) not in _NOTHING and not ("0" in text and _ZERO.fullmatch(text))
    if isinstance(value, Mapping):
        value = [part for name, part in value.items() if not _UNITS.search(_words(name))]
    if isinstance(value, list):
        return bool(value) and (depth >= _MAX_DEPTH or any(_is_set(one, depth + 1) for one in value))
    return bool(value)


def _is_negative(amount: object) -> bool:
    if isinstance(amount, str):
        text = amount.strip()
        return _is_set(text) and bool(re.match(r"\W?" + _MINUS.pattern, text) or _MINUS.match(text[-1]))
    return isinstance(amount, int | float) and amount < 0


@lru_cache(maxsize=4096)
def _words(text: str) -> str:
    """Return the words of a name or a status in lower case: ``partiallyRefunded`` gives ``partially refunded``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text[:200])
    return " ".join(re.sub(r"[^\w]+|_+", " ", parted).casefold().split())
