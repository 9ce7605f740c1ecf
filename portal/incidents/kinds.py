"""The kinds of incidents: one row each, with who is told and where the fix is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from portal.models import IncidentKind

if TYPE_CHECKING:
    from collections.abc import Mapping


MERCHANT = "{merchant}"
"""Stands for each merchant's id in the path of what concerns all of them."""


@dataclass(frozen=True, slots=True)
class KindRow:
    label: str
    """Names the kind where people choose which mails they get: "Orders rejected by the warehouse"."""
    stops_orders: bool
    """Whether orders that should be sent are not. People who want only that hear of these kinds."""
    tells_merchant: bool
    """Whether the merchant's people are told; of a service that fails for everyone, the people of every merchant."""
    tells_operator: bool
    button: str
    """The link that leads to the fix: a verb and an object."""
    path: str
    """The page with the fix, with {merchant} and {subject} to fill in."""


_K = IncidentKind
OF_THE_ENGINE = frozenset({_K.NO_REDIS, _K.NO_WORKER, _K.NO_SCHEDULE, _K.NO_WATCH, _K.NO_POLL, _K.QUEUE_STUCK})
"""What is wrong on our side. Merchants needn't know what, only that it isn't them."""

KINDS: Mapping[IncidentKind, KindRow] = {
    _K.NO_REDIS: KindRow("Redis can't be reached", True, False, True, "View support page", "/support/incidents"),
    _K.NO_WORKER: KindRow("No worker is running", True, False, True, "View support page", "/support/incidents"),
    _K.NO_SCHEDULE: KindRow("No schedule is running", True, False, True, "View support page", "/support/incidents"),
    _K.NO_WATCH: KindRow("No watch is running", False, False, True, "View support page", "/support/incidents"),
    _K.NO_POLL: KindRow("No store is synced", True, False, True, "View support page", "/support/incidents"),
    _K.QUEUE_STUCK: KindRow("The queue isn't draining", True, False, True, "View support page", "/support/incidents"),
    _K.HOST_FAILING: KindRow("An outside service is failing", True, True, True, "View dashboard", "/m/{merchant}/"),
    _K.CREDENTIALS_REJECTED: KindRow(
        "The warehouse rejected the credentials",
        True,
        True,
        True,
        "Update credentials",
        "/m/{merchant}/settings/credentials",
    ),
    _K.RECONNECT_NEEDED: KindRow(
        "Big Cartel no longer accepts our access",
        True,
        True,
        True,
        "Reconnect store",
        "/m/{merchant}/connection/{subject}",
    ),
    _K.STORE_NOT_SYNCED: KindRow(
        "A store isn't synced", True, True, True, "View store", "/m/{merchant}/connection/{subject}"
    ),
    _K.UNACCOUNTED_FOR: KindRow(
        "Orders unaccounted for", True, True, True, "View reconciliation", "/m/{merchant}/#reconciliation"
    ),
    _K.CHANGED_AFTER_SENDING: KindRow(
        "Orders changed in Big Cartel after they were sent",
        False,
        True,
        False,
        "View order",
        "/m/{merchant}/orders/{subject}",
    ),
    _K.ORDERS_REJECTED: KindRow(
        "Orders rejected by the warehouse",
        True,
        True,
        False,
        "View rejected orders",
        "/m/{merchant}/orders?state=rejected",
    ),
    _K.ORDERS_NOT_SENT: KindRow(
        "Orders not sent for days", True, True, True, "View orders", "/m/{merchant}/orders?state=ready"
    ),
    _K.ORDERS_LOST: KindRow(
        "Orders that the warehouse can't find", True, True, True, "View orders", "/m/{merchant}/orders?state=submitted"
    ),
    _K.BIG_CARTEL_NOT_TOLD: KindRow(
        "Shipped orders that we couldn't update in Big Cartel",
        False,
        True,
        True,
        "View orders",
        "/m/{merchant}/orders?state=shipped",
    ),
    _K.ORDERS_ON_HOLD: KindRow(
        "Orders on hold for long", True, True, False, "View orders on hold", "/m/{merchant}/orders?state=held"
    ),
    _K.PRODUCTS_WITHOUT_SKU: KindRow(
        "Products without a usable SKU", False, True, False, "Fix SKUs", "/m/{merchant}/products"
    ),
    _K.ORDERS_AGEING: KindRow(
        "Orders that wait long at the warehouse",
        False,
        True,
        False,
        "View orders",
        "/m/{merchant}/orders?state=submitted",
    ),
    _K.SHIPMENTS_UNKNOWN: KindRow(
        "We can't check for shipments", False, True, True, "View dashboard", "/m/{merchant}/"
    ),
    _K.WEBHOOK_OFF: KindRow(
        "We turned off the webhook", False, True, False, "View webhook", "/m/{merchant}/settings/webhook"
    ),
}


def fix_path(kind: IncidentKind, *, merchant: int | str = MERCHANT, subject: str = "") -> str:
    """Return the path of the page with the fix, which KindRow.button leads to.

    Without a merchant, the path still has ``MERCHANT`` in it. A fix that is about a store or an order is on the
    dashboard while we don't know which one.
    """
    path = KINDS[kind].path
    if "{subject}" in path and not subject:
        path = "/m/{merchant}/"
    return path.format(merchant=merchant, subject=quote(subject, safe=""))
