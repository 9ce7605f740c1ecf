"""Search: the page of results, and the results under the header's field while somebody types.

Support searches a merchant on that merchant's pages, and all merchants elsewhere. What they find by a buyer's name or
email address is recorded in the audit trail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie

from portal import access, current
from portal.actions.searches import BY_EMAIL, BY_NAME, SAME_SEARCH, record_search
from portal.clock import utc_now
from portal.forms.common import one_line
from portal.reports import search as report
from portal.signing import fingerprint
from portal.views import limits

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.reports.search import Results
    from portal.reports.search_orders import FoundOrder

blueprint = Blueprint("search", __name__, url_prefix="/search")
over_all = Blueprint("search", __name__, url_prefix="/search")

_LAST = "searched"
"""In the session cookie: what record_search() recorded last, when, and the length and keyed hash of what was typed."""


@blueprint.get("")
@limits.limit_searches
def search() -> ResponseReturnValue:
    typed, merchant_id = _typed(), access.merchant().id
    results = report.of_merchant(current.session(), typed, merchant_id, is_suggestion=_is_suggestion())
    return _answer(typed, results, merchant_id)


@over_all.get("")
@limits.limit_searches
def search_all() -> ResponseReturnValue:
    typed = _typed()
    results = report.of_all(current.session(), typed, is_suggestion=_is_suggestion())
    return _answer(typed, results, None)


def _answer(typed: str, results: Results, merchant_id: int | None) -> ResponseReturnValue:
    found = {"typed": typed, "results": results, "address": _address, "merchant_only": merchant_id is not None}
    answer: ResponseReturnValue
    if _is_suggestion():
        answer = render_template("search/_suggestions.html", **found)
    elif results.only_order is not None:
        answer = redirect(_address(results.only_order), 303)
    else:
        answer = render_template("search/search.html", **found)
    if access.is_support():
        # Last: the commit makes the page's rows expire.
        _record(results, merchant_id)
    return answer


def _typed() -> str:
    return one_line(request.args.get("q"))


def _is_suggestion() -> bool:
    return request.headers.get("HX-Target") == "search-results"


def _address(order: FoundOrder) -> str:
    return url_for("merchant.orders.order", merchant_id=order.merchant_id, number=order.number)


def _record(results: Results, merchant_id: int | None) -> None:
    """Record which orders support found by their buyer: one entry while the same search is typed on."""
    numbers = [order.number for order in results.orders if order.is_by_buyer]
    if not numbers:
        return
    now, words = utc_now(), " ".join(results.query.words) or results.query.joined
    entry_id = record_search(
        current.session(),
        numbers,
        by=BY_EMAIL if "@" in words else BY_NAME,
        merchant_id=merchant_id,
        actor=access.viewer().email,
        now=now,
        typed_on=_extended(words, now.timestamp()),
    )
    cookie[_LAST] = [entry_id, int(now.timestamp()), len(words), _hash(words)]


def _extended(words: str, now: float) -> int | None:
    """Return the entry of the search that begins with the same words, if it is less than a minute old."""
    match cookie.get(_LAST):
        case [int(entry_id), int(at), int(length), str(hashed)]:
            is_same = 0 <= now - at < SAME_SEARCH.total_seconds() and hashed == _hash(words[:length])
            return entry_id if is_same else None
    return None


def _hash(words: str) -> str:
    return fingerprint(f"search {words}", current.settings().secret_key)
