"""The carriers that the warehouse's words may name, and their public pages for tracking a parcel.

Only words name a carrier. The format of a number names none: several carriers use the same formats. The addresses are
those that public connectors use, or, for the rarer carriers, of the data set jkeen/tracking_number_data.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carrier:
    """``names`` matches its names in the result of ``words_of``; ``{}`` in ``page`` stands for the number."""

    name: str
    names: re.Pattern[str]
    page: str


def carriers_in(text: str) -> list[Carrier]:
    """Return the carriers that a text names, by whole words in any case and punctuation."""
    words = words_of(text)
    return [carrier for carrier in CARRIERS if carrier.names.search(words)]


def words_of(text: str) -> str:
    """Return the words in lowercase, separated by single spaces; initials such as "U.S.P.S." are one word."""
    plain = unicodedata.normalize("NFKC", re.sub("[\u2120\u2122]", " ", text))
    plain = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    plain = re.sub(r"(?<=\w)-(?=ups\b)", "", plain, flags=re.IGNORECASE)  # "pick-ups" doesn't name UPS
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", plain)
    words = " ".join(re.findall(r"[^\W_]+", plain)).casefold()
    return re.sub(r"\b[a-z](?: [a-z]\b)+", lambda initials: initials.group().replace(" ", ""), words)


def _carrier(name: str, names: str, page: str) -> Carrier:
    return Carrier(name, re.compile(rf"\b(?:{names})\b"), page)


_DHL_ECOMMERCE = r"(?:e ?com|e ?commerce|ecs|global ?mail|smart ?mail)"
_DHL_EXPRESS = r"(?:express|worldwide)"

CARRIERS = (
    _carrier(
        "USPS",
        r"usps|(?:us|united states) ?(?:post|postal|mail)(?: ?(?:services?|office))?",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    ),
    _carrier("UPS", r"(?<!pick )ups|united ?parcel(?: ?service)?", "https://www.ups.com/track?tracknum={}"),
    _carrier("FedEx", r"fed ?ex(?:press)?|federal ?express", "https://www.fedex.com/fedextrack/?trknbr={}"),
    _carrier("DHL eCommerce", rf"dhl ?{_DHL_ECOMMERCE}", "https://webtrack.dhlecs.com/orders?trackingNumber={}"),
    _carrier(
        "DHL Express",
        rf"dhl ?{_DHL_EXPRESS}",
        "https://www.dhl.com/us-en/home/tracking/tracking-express.html?submit=1&tracking-id={}",
    ),
    _carrier(
        "DHL",
        rf"dhl(?! ?(?:{_DHL_ECOMMERCE}|{_DHL_EXPRESS})\b)",
        "https://www.dhl.com/us-en/home/tracking.html?tracking-id={}",
    ),
    _carrier("OnTrac", r"on ?trac|laser ?ship", "https://www.ontrac.com/tracking/?number={}"),
    _carrier("UniUni", r"uni ?uni", "https://www.uniuni.com/tracking/?no={}"),
    _carrier("Amazon", r"amazon|amzl", "https://track.amazon.com/tracking/{}"),
    _carrier(
        "Canada Post",
        r"canada ?post|postes ?canada",
        "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}",
    ),
    _carrier("Purolator", "purolator", "https://www.purolator.com/en/shipping/tracker?pin={}"),
    _carrier("Canpar", "canpar", "https://www.canpar.com/en/track/tracking.jsp?reference={}&locale=en"),
    _carrier("GOFO Express", "gofo", "https://www.gofoexpress.com/tracking.html?searchID={}"),
    _carrier("Landmark Global", "landmark ?global", "https://track.landmarkglobal.com/?search={}"),
    _carrier("Old Dominion", "old ?dominion|odfl", "https://www.odfl.com/Trace/standardResult.faces?pro={}"),
    _carrier("Spee-Dee", "spee ?dee", "https://www.speedeedelivery.com/track/?tracking={}"),
    _carrier("Yodel", "yodel", "https://www.yodel.co.uk/tracking/{}"),
    _carrier("YunExpress", "yun ?express", "https://www.yuntrack.com/parcelTracking?id={}"),
)
"""LaserShip became OnTrac. DPD has a page per country, and the warehouse doesn't name the country."""
