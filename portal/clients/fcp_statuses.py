"""What the FCP's status of an order means, judged by its words.

The words of the XML API aren't published (ASSUMED); the FCP's own pages say Pending, In Process, Back Order, On Hold,
and Completed. A wrong "shipped" tells the buyer something untrue, and a wrong "canceled" closes the order, so these
two need every word of a status to fit. What fits nothing is unknown, and a person has to look at it.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class StatusKind(StrEnum):
    """What a status means for the order."""

    OPEN = "open"
    """Not shipped yet, or not completely. An order without a status counts as open, too."""
    SHIPPED = "shipped"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


def kind_of_status(status: str) -> StatusKind:
    """Return what a status means, whatever its case and punctuation."""
    words = words_of(status)
    if "?" in status:
        return StatusKind.UNKNOWN
    if _SHIPPED.fullmatch(words):
        return StatusKind.SHIPPED
    if _CANCELED.fullmatch(words):
        return StatusKind.CANCELED
    is_open = _NOT_YET.search(words) or (_OPEN.match(words) and not _SENT_WORD.search(_EXPLAINED.sub(" ", words)))
    if not words or (is_open and not _TROUBLE.search(words)):
        return StatusKind.OPEN
    return StatusKind.UNKNOWN


def is_back_order(status: str) -> bool:
    """Return whether the order waits for stock at the warehouse."""
    return kind_of_status(status) is StatusKind.OPEN and _BACK_ORDER.search(words_of(status)) is not None


def words_of(status: str) -> str:
    """Return the words of a status in lowercase, separated by single spaces; CamelCase and underscores separate, too.

    A date with its time counts as one word, which no status can contain itself.
    """
    text = unicodedata.normalize("NFKC", status).replace(_WHEN, " ").replace("\u2019", "'")
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = _DATE.sub(f" {_WHEN} ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    text = _RUN_TOGETHER.sub(r"\1 \2", text)
    return " ".join(re.findall(rf"[^\W_]+|{_WHEN}", text)).casefold()


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_WHEN = "\ue000"
_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\b\.?)?Z?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_DATE = re.compile(
    rf"(?<![\w/.-])(?:(?:\d{{4}}-\d\d-\d\d|\d{{1,2}}/\d{{1,2}}/\d{{2,4}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{1,2}}[ -]{_MONTH}(?:,?[ -]\d{{4}})?)"
    rf"(?:(?:T|,? +(?:at +)?){_TIME})?|{_TIME})(?![\w/-])",
    re.IGNORECASE,
)
_RUN_TOGETHER = re.compile(
    r"\b(ORDERS?|NOT|PARTIALLY)(SHIPPED|COMPLETED?|CANCELL?ED|DELIVERED|FULFILL?ED|RECEIVED|PROCESSED|PENDING|VOIDED)\b",
    re.IGNORECASE,
)
_SUBJECT = r"(?:(?:the|this|your|entire|all|orders?|shipment|fulfil?lment|package|parcel|items|status) )*"
_FULLY = r"(?:(?:has|have|is|was|were|been|already|fully|successfully|now) )*"
_SERVICE = (
    r"(?: (?:ground|advantage|priority|first|class|express|home|delivery|economy|media|mail|standard|2 ?day|air))*"
)
_CARRIER = (
    _any("usps", "ups", "fed ?ex", "dhl", "on ?trac", "uni ?uni", "(?:the )?carrier", "(?:the )?courier", "mail")
    + _SERVICE
)
_TO_BUYER = r"(?: to (?:the )?(?:customer|buyer|recipient|client|consignee|addressee))?"
_PLACE = _any(
    r"(?:left )?(?:(?:in|at|on|to|near|with) )*(?:the )?(?:front|side|garage|(?:back|rear) door|door|porch"
    r"|mail ?box|po box|(?:parcel )?locker|individual|neighbor|reception|front desk|mail ?room|leasing office)"
    r"(?: (?:door|desk|porch))?"
)
_DONE = _any(
    "completed?(?: orders?)?",
    rf"delivered(?: {_PLACE})+|ship(?:ping|ment)? completed?",
    rf"(?:shipped|fulfill?ed|dispatched|despatched|delivered|mailed){_TO_BUYER}",
    rf"in ?transit{_TO_BUYER}|out ?for ?delivery|en ?route|on (?:its|the) way{_TO_BUYER}",
    rf"(?:picked up|collected) by {_CARRIER}|(?:handed|handed over|tendered|released) to {_CARRIER}",
)
_DETAIL = _any(
    rf"(?:by |via |with |through )?{_CARRIER}|(?:on |at )?{_WHEN}|in full|completely|(?:by|from) (?:the )?warehouse",
    r"(?:with |without |no )?tracking(?: (?:number|info|information|details))?"
    r"(?: (?:(?:has|is) )?(?:been )?(?:uploaded|added|sent|available|provided))?",
    r"closed|invoiced|billed|ok|(?:in )?[1-9]\d* (?:packages?|parcels?|boxes|box)|(?P<of>[1-9]\d*) of (?P=of)\b",
)
_SHIPPED = re.compile(rf"{_SUBJECT}(?:closed )?{_FULLY}{_DONE}(?: (?:and )?(?:{_FULLY}{_DONE}|{_DETAIL}))*")

_WHO = (
    r"(?:the )?(?:merchant|client|customer|buyer|seller|shipper|user|store|shop|owner|warehouse|admin|administrator"
    r"|system|staff|support|efs|efulfillment(?: service)?)"
)
_WHY = _any(
    rf"(?:by|per|at|on|upon) {_WHO}(?: s)?(?: request)?|{_WHO}(?: s)? request|(?:on |at )?{_WHEN}",
    r"(?:due to |because |as )?(?:a )?(?:duplicate|duplicate order|out of stock|no stock|fraud|non ?payment)",
)
_CANCELED = re.compile(
    rf"{_SUBJECT}(?:closed )?{_FULLY}(?:cancell?ed|voided|void)(?: order)?(?: (?:{_WHY}|closed))*"
    rf"|{_SUBJECT}(?:cancell?ation|cancell?ation {_FULLY}(?:completed?|confirmed|processed|successful))"
)

_NOT = r"(?:not|hasn t|isn t|wasn t|haven t)(?: (?:yet|been|be|fully|completely))*"
_STEP = r"(?:shipped|completed?|fulfill?ed|dispatched|delivered|released|processed|allocated|started|picked|packed)"
_NOT_YET = re.compile(
    rf"^{_SUBJECT}{_FULLY}(?:{_NOT} {_STEP}|unshipped|unfulfilled|incomplete|awaiting|waiting|ready|to be|will be"
    r"|preparing|scheduled|shipping soon|ships? soon)\b|\bpartial(?:ly)?\b"
)
_OPEN = re.compile(
    rf"{_SUBJECT}{_FULLY}(?:pending|new|open|queued|in queue|submitted|imported|entered|acknowledged|accepted|confirmed"
    r"|received(?! by(?! (?:the )?warehouse)| at)|released|pre ?shipment|shipping label|manifested|allocated|reserved"
    r"|batched|staged|in ?process|in ?progress|processing|being \w+ed|(?:on )?back ?order(?:ed|s)?"
    r"|(?:out of|no|insufficient) (?:stock|inventory)|pre ?order(?:ed)?|on ?hold|hold|held|picking|picked(?! up)"
    r"|packing|packed|packaged"
    r"|printing|printed|label (?:created|printed)|prepared|assembling|assembly|(?:in|at) (?:the )?warehouse)\b"
)
_SENT_WORD = re.compile(
    r"\b(?:shipped|completed?|fulfill?ed|dispatched|despatched|delivered|mailed|transit|carrier|courier)\b"
)
"""Words that contradict an open status, unless a word such as "not" or "partially" explains them."""
_EXPLAINED = re.compile(rf"\b(?:{_NOT}|(?:to|will|must) be) {_STEP}\b")
_TROUBLE = re.compile(
    r"\b(?:cancel\w*|void\w*|return\w*|exceptions?|errors?|fail\w*|reject\w*|refus\w*|lost|damaged?|undeliver\w*"
    r"|delet\w*|refund\w*|denied|never|no longer)\b"
)
"""Words that a person should read, whatever else the status says."""
_BACK_ORDER = re.compile(r"\bback ?order|\b(?:out of|no|insufficient|awaiting|waiting for) (?:stock|inventory)\b")
