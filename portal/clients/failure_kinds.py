"""What a failure's message is about: the service itself, the credentials, the order number, or the order.

The FCP publishes neither error codes nor a list of messages (ASSUMED), so only the wording tells one kind from another.
Big Cartel's are read with the same patterns.
"""

from __future__ import annotations

import re
from enum import Enum
from html import unescape
from typing import TYPE_CHECKING

from portal.clients.busy_words import (
    AGAIN,
    DO_NOT,
    ERROR,
    FIX_IT,
    NOTICE,
    SERVICE_AWAY,
    SYSTEM,
    WAIT,
    pattern,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(Enum):
    """What a failure is about."""

    DUPLICATE = "duplicate"
    """The order number, certainly: the FCP already has it."""
    MAYBE_DUPLICATE = "maybe duplicate"
    """The order number, perhaps: only a status check can tell."""
    BUSY = "busy"
    """The service: it can't process requests now, whatever they are."""
    CREDENTIALS = "credentials"
    REQUEST = "request"
    """The order, or whatever else we asked for."""


# Words for parts of an order.
_PART = (
    r"\b(?:skus?|items?|products?|quantit\w*|address\w*|street|city|postal(?:code)?|post-?codes?|zip|country|province"
    r"|phone|e[\s-]?mail|shipping\w*|carrier|stock"
    r"|weight|insurance|value|total|length|credit|amount|recipient|buyer|customer|lines?"
    r"|(?:signature|(?:inter)?national|domestic|overnight|saturday|express|expedited|priority|ground"
    r"|home|mail|freight) service"
    r"|ship (?:method|code|via|to)"
    r"|(?<!host )(?<!server )(?<!database )names?)\b"
)
_STATE = r"(?<!current )\bstate\b"
# What is wrong with them.
_FAULT = (
    r"\b(?:invalid|unknown|no such|missing|required?|must|should|empty|blank|incorrect|wrong|incomplete|bad|exceed\w*"
    r"|too (?:long|short|many|large|few|big)|insufficient|discontinued|inactive|unavailable|out of|ambiguous|malformed"
    r"|back-?order\w*|un(?:recogni[sz]ed|supported|deliverable)|prohibited|restricted"
    r"|(?:cannot|can't|can not|unable to|could not) (?:be )?(?:ship|deliver|empty|blank|f[io]u?nd|recogni|match)\w*"
    r"|(?:not|n't|never)(?: be| been| currently| yet)? (?:in stock|found|exist\w*|available|recogni[sz]ed|allowed"
    r"|accepted|supported|valid|permitted|served|match\w*|ship\w*|deliver\w*|carried|active))\b"
)
_CREDENTIALS = pattern(
    r"merchant[\s_-]*(?:id|name|token|account)\b|\bcredential|\bauthenticat|\b(?:un|not )authori[sz]ed\b",
    r"\bauthori[sz]ation (?:failed|failure|refused|denied|error|required|invalid)\b|\baccess denied\b|\blog-?in\b",
    r"\b(?:please|must|not) log(?:ged)? in\b|\blog in failed\b|\bpassword\b",
    r"\b(?:invalid|unknown) merchant\b|\bapi key\b",
    r"\b(?:invalid|expired|wrong|incorrect|unknown|missing|revoked) (?:\w+ )?token\b",
    r"\btoken\b.{0,20}\b(?:invalid|expired|revoked)\b",
)
_WRONG = pattern(
    r"\b(?:invalid|wrong|incorrect|unknown|bad|expired|mismatch\w*|missing|required|revoked|suspended|disabled|blocked"
    r"|inactive|unrecogni[sz]ed)\b|\b(?:not|n't) (?:match|valid|active|recogni[sz]ed|exist|found)"
)
MERCHANT = re.compile(r"merchant[\s_-]*(?:id|name|token)\b", re.IGNORECASE)

_ABOUT_THE_ORDER = re.compile(
    r"\b(?:skus?|items?|products?|quantit\w*|address\w*|city|postal(?:code)?|zip|country|shipping\w*|carrier|phone"
    r"|e[\s-]?mail)\b",
    re.IGNORECASE,
)
_NAMED_PART = re.compile(rf"{_PART}|{_STATE}", re.IGNORECASE)
_BAD = re.compile(_FAULT, re.IGNORECASE)
_THIS_ORDER = re.compile(
    r"\border\b.{0,30}\b(?:not found|unknown|not exist|n't exist|invalid|on (?:\w+ )?(?:hold|lock)|cancell?ed)\b"
    r"|\b(?:unknown|invalid|no such) order\b|\bon (?:\w+ )?hold\b",
    re.IGNORECASE,
)
_DUPLICATE_NUMBER = re.compile(
    r"\bduplicat\w*\W+(?:\w+\W+){0,2}?order|\balready an order\b"
    r"|\border[\s_-]*(?:number|no|id)\b.{0,40}?\b(?:already|exists?|duplicat|unique|in use|been used|found)"
    r"|\border\b.{0,40}?\b(?:submitted|received|sent|used|processed) before\b|\border with (?:the |this )?same number\b"
    r"|\border\b\W*(?:\w+\W+){0,3}?(?:already|previously)\W+"
    r"(?:exist|submit|receiv|import|accept|process|been|used?\b|taken|regist)",
    re.IGNORECASE,
)
_MAYBE_DUPLICATE = re.compile(
    r"\bduplicat|\b(?:not|be) unique\b|\balready\b|\bexists?\b|\bpreviously\b|\bin use\b|\btwice\b"
    r"|\bhas been (?:used|taken|submitted|received|processed)\b",
    re.IGNORECASE,
)
_DUPLICATE_ALONE = re.compile(r"\bduplicat|\b(?:not|be) unique\b|\balready\W+exist", re.IGNORECASE)
_DOES_NOT_EXIST = re.compile(r"\b(?:not|n't|never|no)\b.{0,30}\bexist|\bnot found\b", re.IGNORECASE)
_DUPLICATE_ITEM = re.compile(r"\bduplicat\w*\W+(?:\w+\W+){0,2}?(?:skus?|items?|products?|lines?)\b", re.IGNORECASE)
_PERHAPS = re.compile(r"\b(?:may|might|could)(?: have)?(?: already| been)? (?:be|been|exist\w*|a)\b", re.IGNORECASE)
_ORDER = re.compile(r"\border", re.IGNORECASE)
_CHECK_FOR_DUPLICATES = re.compile(
    r"\b(?:check|verif|validat|determin|detect|test|look|search|compar|ensur|confirm)\w* (?:[\w#]+ ){0,8}?"
    r"(?:duplicat\w*|exist\w*|unique\w*)(?: order(?: number)?s?)?"
    r"|\bduplicat\w*(?: order)?(?: numbers?)? (?:check|detection|look-?up|validation|test|search|query)\w*",
    re.IGNORECASE,
)
_FAILED_CHECK = re.compile(
    r"\b(?:could not|couldn't|can ?not|can't|unable to|failed to)\W+(?:\w+\W+){0,2}$", re.IGNORECASE
)


def kind_of(words: str, values: Iterable[str] = (), *, duplicates: bool = False) -> Kind:
    """Return what a failure's message is about; only with ``duplicates`` may it be the order number.

    ``values`` are our own (order number, SKUs): a message may repeat them, so they are removed before it is matched.
    A sentence about a SKU, an item, or an address is about the order unless it clearly speaks of the service's own
    system. A message about a duplicate order number may also mention the merchant, so duplicates are checked first.
    """
    sentences = [one for one in re.split(r"[;.!]\s+", plain_words(words, values)) if one.strip()]
    unchecked = [_without_failed_check(one) for one in sentences] if duplicates else sentences
    found = [one for one in unchecked if _is_duplicate(one)] if duplicates else []
    if any(_DUPLICATE_NUMBER.search(one) and not _PERHAPS.search(one) for one in found):
        return Kind.DUPLICATE
    if unchecked != sentences or _blames_the_service(sentences):
        return Kind.BUSY
    if found:
        return Kind.MAYBE_DUPLICATE
    if any(map(_is_about_credentials, sentences)):
        return Kind.CREDENTIALS
    return Kind.BUSY if _asks_to_wait(sentences) else Kind.REQUEST


def names_the_cause(words: str) -> bool:
    """Return whether a failure's message names something in the order that a person can fix."""
    return _ABOUT_THE_ORDER.search(plain_words(words)) is not None and kind_of(words) is not Kind.BUSY


def plain_words(words: str, values: Iterable[str] = ()) -> str:
    """Return the message on one line without our own values, HTML, CamelCase, or underscores."""
    text = unescape(unescape(words)).replace("\u2019", "'")
    own = {" ".join(value.split()) for value in values}
    for value in sorted((own | {value.upper() for value in own}) - {""}, key=len, reverse=True):
        # A value with a digit, such as an order number, can't be a word of the message, whatever its case.
        in_any_case = re.IGNORECASE if any(map(str.isdigit, value)) else 0
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", " # ", text, flags=in_any_case)
    text = re.sub(r"</?[a-z][^<>]*>", ". ", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|_", " ", text)
    return " ".join(text.split())


def _without_failed_check(sentence: str) -> str:
    """Remove what says that the search for duplicates itself failed: it proves no duplicate."""
    check = _CHECK_FOR_DUPLICATES.search(sentence)
    if check is None:
        return sentence
    before, rest = sentence[: check.start()], sentence[: check.start()] + " " + sentence[check.end() :]
    has_failed = _FAILED_CHECK.search(before) or any(
        words.search(rest) for words in (SYSTEM, ERROR, SERVICE_AWAY, WAIT)
    )
    return rest if has_failed else sentence


def _is_duplicate(text: str) -> bool:
    """Return whether the text says that the order number, not an item in the order, is a duplicate."""
    if _DUPLICATE_ITEM.search(text) or _DOES_NOT_EXIST.search(text):
        return False
    if _DUPLICATE_NUMBER.search(text):
        return True
    if _ABOUT_THE_ORDER.search(text) or _CREDENTIALS.search(text):
        return False
    return bool((_MAYBE_DUPLICATE if _ORDER.search(text) else _DUPLICATE_ALONE).search(text))


def _is_about_credentials(sentence: str) -> bool:
    return bool(_CREDENTIALS.search(sentence)) and not _ABOUT_THE_ORDER.search(sentence)


def _blames_the_service(sentences: Iterable[str]) -> bool:
    """Return whether the message says that the service's system can't work, rather than that something is wrong."""
    current = [one for one in sentences if not NOTICE.search(one)]
    if any(map(SYSTEM.search, current)):
        return True
    has_trouble = any(ERROR.search(one) or SERVICE_AWAY.search(one) for one in current)
    return has_trouble and not any(_is_fault_of_ours(one) for one in current)


def _is_fault_of_ours(sentence: str) -> bool:
    """Return whether the sentence says what is wrong with the order or the credentials."""
    rest = ERROR.sub(" ", sentence)
    if _is_about_credentials(rest) and _WRONG.search(rest):
        return True
    return bool(_THIS_ORDER.search(rest) or (_NAMED_PART.search(rest) and _BAD.search(rest)))


def _asks_to_wait(sentences: Iterable[str]) -> bool:
    """Return whether the message only asks for patience. It says nothing wrong about the order or the credentials."""
    current = [DO_NOT.sub(" ", one) for one in sentences if not NOTICE.search(one)]
    if any(_is_fault_of_ours(one) or FIX_IT.search(one) for one in current):
        return False
    if any(WAIT.search(one) and not _NAMED_PART.search(one) for one in current):
        return True
    return any(map(AGAIN.search, current)) and not any(map(_NAMED_PART.search, current))
