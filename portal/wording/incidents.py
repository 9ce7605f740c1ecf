"""Titles and explanations of incidents: the fact, then what it means and what to do. None names a buyer.

A title has no period. Mails, webhooks and pages show the same words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from portal.models import HostName
from portal.rules.visible_text import shorten
from portal.wording.counts import count_of, listed
from portal.wording.rejections import meaning_of
from portal.wording.stops import RECONNECT, credentials_rejected_because

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.rules.hold_reasons import Hold
    from portal.rules.rejection_causes import Cause


class Words(NamedTuple):
    title: str
    explanation: str


SERVICES = {HostName.BIG_CARTEL: "Big Cartel", HostName.WAREHOUSE: "The warehouse's system"}
NOTHING_TO_DO = "You don't need to do anything."
_HTTP = re.compile(r" ?\(HTTP \d+\)|\bHTTP \d+\b")


def without_codes(sentence: str) -> str:
    """Return one of our sentences about a failed call without its HTTP status, which tells a merchant nothing."""
    return _HTTP.sub("", sentence).strip()


def host_failing(host: HostName, error: str) -> Words:
    effect = (
        "Stores sync, and orders that have waited are sent, as soon as it answers."
        if host is HostName.BIG_CARTEL
        else "Orders are sent as soon as it answers."
    )
    title = f"{SERVICES[host]} isn't working"
    return Words(
        title, _joined(without_codes(error), effect, "Nothing is lost, and nothing is sent twice.", NOTHING_TO_DO)
    )


def merchant_failing(error: str) -> Words:
    return Words(
        "The warehouse's system doesn't answer when we send your orders",
        _joined(
            without_codes(error),
            "It answers for other merchants. We try again every 30 seconds and send the orders as soon as it answers.",
            "Nothing is lost. If it lasts, ask the warehouse about your account.",
        ),
    )


def credentials_rejected(words: str) -> Words:
    return Words(
        "The warehouse rejected the merchant's credentials",
        _joined(
            credentials_rejected_because(words),
            "No orders are sent until the warehouse accepts the credentials. We check them every 10 minutes.",
        ),
    )


def reconnect_needed(store: str) -> Words:
    return Words(
        f"{store}: Big Cartel no longer accepts our access",
        _joined(
            RECONNECT,
            "Until then, new orders aren't synced, orders that have waited for more than five minutes aren't sent, and "
            "shipped orders aren't marked in Big Cartel. Nothing is lost: everything continues where it stopped.",
        ),
    )


def not_synced(store: str, minutes: int, error: str) -> Words:
    why = without_codes(error) or "Syncing is running late on our side."
    return Words(
        f"{store} hasn't been synced for more than {count_of(minutes, 'minute')}",
        _joined(why, "New orders show up late, but none are lost. We keep trying. If it lasts, contact support."),
    )


def unaccounted_for(store: str, missing: Sequence[str], not_told: Sequence[str]) -> Words:
    """``missing`` are listed as unshipped by Big Cartel; ``not_told`` were marked as shipped there and are, too."""
    numbers = [*missing, *not_told]
    return Words(
        f"{store}: {count_of(len(numbers), 'order')} unaccounted for: {listed(numbers)}",
        _joined(
            missing
            and f"Big Cartel lists {listed(missing)} as unshipped and paid, but {_it(missing)} neither waiting here "
            "nor at the warehouse. Open the order to see what happened, then retry it.",
            not_told
            and f"The warehouse shipped {listed(not_told)}, and we marked that in Big Cartel, but Big Cartel still "
            "shows unshipped. Mark as shipped there.",
            "We check again at every full sync, once an hour.",
        ),
    )


def shipments_unknown(error: str) -> Words:
    return Words(
        "We can't check which orders the warehouse has shipped",
        _joined(
            without_codes(error),
            "Orders are still sent. But until the warehouse answers, shipped orders aren't marked in Big Cartel, so "
            "buyers aren't told.",
        ),
    )


def products_without_sku(store: str, count: int) -> Words:
    return Words(
        f"{store}: {count_of(count, 'product')} on sale without a usable SKU",
        "Orders with such a product go on hold. Fix the SKUs under Products before somebody orders one: they're listed "
        "first, each with what is wrong.",
    )


def webhook_off(host: str, because: str) -> Words:
    return Words(
        f"We turned off the webhook to {host}" if host else "We turned off the webhook",
        _joined(
            because,
            "Nothing is posted there now. Emails are still sent. Once the receiver works, turn the webhook on again, "
            "or enter the URL of another one.",
        ),
    )


def orders_rejected(count: int, cause: Cause) -> Words:
    said = f"The warehouse said: “{cause.words}”." if cause.words else "Ask the warehouse why."
    if cause.unknown_skus:
        what = f"the warehouse doesn't know SKU {listed(cause.unknown_skus, 3)}"
    else:
        what = f"“{cause.words}”" if cause.words else "the warehouse gave no reason"
    return Words(
        f"{count_of(count, 'order')} rejected: {what}",
        _joined(
            said,
            meaning_of(cause.words).remedy if cause.words else "",
            f"Then retry {_the(count)}, or close {_them(count)}. Rejected orders are never sent again automatically.",
        ),
    )


def orders_on_hold(count: int, hours: int, hold: Hold) -> Words:
    return Words(
        f"{count_of(count, 'order')} on hold for more than {count_of(hours, 'hour')}: {_inside(hold.headline)}",
        _joined(
            hold.explanation,
            hold.remedy,
            f"We check {_them(count)} at every sync and send {_them(count)} automatically once this is fixed.",
        ),
    )


def orders_not_sent(count: int) -> Words:
    return Words(
        f"{count_of(count, 'order')} couldn't be sent for 72 hours",
        f"We no longer try automatically. Look at the last attempt in the activity, then retry {_the(count)}, or close "
        f"{_them(count)}.",
    )


def big_cartel_not_told(count: int) -> Words:
    was = "is" if count == 1 else "are"
    return Words(
        f"{count_of(count, 'shipped order')} {was} still unshipped in Big Cartel",
        f"The warehouse shipped {_them(count)}, but we couldn't update Big Cartel for 72 hours and no longer try "
        f"automatically, so {_buyers(count)} been told. Retry {_the(count)}, or mark {_them(count)} as shipped there.",
    )


def orders_lost(count: int) -> Words:
    return Words(
        f"{count_of(count, 'order')} can't be found at the warehouse anymore",
        f"The warehouse accepted {_them(count)} earlier. Ask the warehouse about {_them(count)}. If they won't ship "
        f"{_them(count)}, retry {_the(count)} to send {_them(count)} again, or close {_them(count)}.",
    )


def on_back_order(count: int, days: int, numbers: Sequence[str]) -> Words:
    return Words(
        f"{count_of(count, 'order')} on back order at the warehouse for more than {_business_days(days)}",
        f"The warehouse waits for stock: {listed(numbers)}. Send stock to the warehouse, or tell the buyer.",
    )


def orders_ageing(count: int, days: int, statuses: Sequence[str]) -> Words:
    shown = f"Status there: {listed([shorten(status) for status in statuses], 5)}. " if statuses else ""
    return Words(
        f"{count_of(count, 'order')} at the warehouse for more than {_business_days(days)}, not shipped yet",
        f"{shown}Ask the warehouse when {'it ships' if count == 1 else 'they ship'}.",
    )


def order_changed(number: str, fields: Sequence[str], status: str) -> Words:
    what = f": {listed(fields, 5)}" if fields else ""
    there = f"The warehouse still has the order as it was. Its status there is {shorten(status)}. " if status else (
        "The warehouse still has the order as it was. "
    )  # fmt: skip
    return Words(
        f"Order {number} changed in Big Cartel after it was sent{what}",
        f"{there}{_CHANGE_THERE} Then acknowledge the change on the order's page.",
    )


def orders_changed(count: int) -> Words:
    return Words(
        f"{count_of(count, 'order')} changed in Big Cartel after they were sent",
        f"The warehouse still has the orders as they were. {_CHANGE_THERE} Each order's page shows what changed. "
        "Acknowledge the changes there.",
    )


_CHANGE_THERE = (
    "While an order is Pending or On Hold there, you can still edit it at the warehouse; otherwise, ask the warehouse "
    "right away."
)


def _joined(*sentences: object) -> str:
    return " ".join(str(sentence) for sentence in sentences if sentence)


def _inside(sentence: str) -> str:
    """Return a sentence as the end of another one."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _it(parts: Sequence[str]) -> str:
    return "it is" if len(parts) == 1 else "they are"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def _the(count: int) -> str:
    return "the order" if count == 1 else "the orders"


def _buyers(count: int) -> str:
    return "its buyer hasn't" if count == 1 else "their buyers haven't"


def _business_days(days: int) -> str:
    return count_of(days, "business day")
