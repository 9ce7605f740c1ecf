"""What stops or slows a merchant, worst first: a sentence for the dashboard, a label for support's list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.models import Host, HostName, IncidentKind
from portal.wording.stops import RECONNECT, credentials_rejected_because

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from portal.models import Merchant, Store
    from portal.reports.overview import OpenOrders
    from portal.reports.unknown_statuses import UnknownStatus

LATE = timedelta(minutes=15)
"""A poll overdue by more than this means something is wrong on our side; less is just a busy minute."""


RETURNED_AN_ERROR = "returned an error"
"""How the sentence about a failed call names an answer that says so, as opposed to no answer."""


class Kind(StrEnum):
    """Worst first."""

    RECONNECT = "reconnect"
    CREDENTIALS = "credentials"
    RECONCILIATION = "reconciliation"
    OUTAGE = "outage"
    ORDERS = "orders"
    UNKNOWN_STATUS = "unknown_status"


_RANK = {kind: position for position, kind in enumerate(Kind)}
_K = IncidentKind
_WAREHOUSE_FAILING = "Warehouse failing"


@dataclass(frozen=True, slots=True)
class Problem:
    """``label`` is for a list of merchants, ``sentence`` for the merchant's own page, ``headline`` for the status line.

    A headline has no codes, and "since 6:35 PM" may follow it. ``says`` is the kind of incident that says the same.
    ``host`` is set if the service fails for everyone.
    """

    kind: Kind
    says: IncidentKind
    label: str
    sentence: str
    headline: str = ""
    since: datetime | None = None
    next_try_at: datetime | None = None
    host: HostName | None = None


def problems(
    merchant: Merchant, stores: Sequence[Store], failing: Mapping[HostName, Host], now: datetime
) -> list[Problem]:
    """Return the merchant's problems, worst first. ``failing`` holds the services that fail for everyone."""
    found = [
        *_of_big_cartel(stores, failing.get(HostName.BIG_CARTEL)),
        *_of_stores(stores, now, big_cartel_fails=HostName.BIG_CARTEL in failing),
        *_of_the_warehouse(merchant, failing.get(HostName.WAREHOUSE), now),
    ]
    return sorted(found, key=lambda problem: _RANK[problem.kind])


def _of_big_cartel(stores: Sequence[Store], host: Host | None) -> Iterator[Problem]:
    if host is not None and any(store.is_connected for store in stores):
        sentence = (
            f"{host.error} Stores sync, and orders that have waited are sent, as soon as it answers. Nothing is lost."
        )
        headline = _failing("Big Cartel", host.error)
        yield _outage_of(host, "Big Cartel failing", sentence, headline)


def _of_stores(stores: Sequence[Store], now: datetime, *, big_cartel_fails: bool) -> Iterator[Problem]:
    for store in stores:
        if not store.sealed_token:
            continue
        if store.reconnect_needed_at is not None:
            headline = f"{store.title}: Big Cartel has not accepted our access"
            sentence = f"{store.title}: {RECONNECT}"
            yield Problem(
                Kind.RECONNECT, _K.RECONNECT_NEEDED, "Reconnect needed", sentence, headline, store.reconnect_needed_at
            )
        elif big_cartel_fails:
            pass
        elif store.poll_error:
            sentence = f"{store.title}: {store.poll_error}"
            headline = f"{store.title} couldn't sync"
            yield Problem(
                Kind.OUTAGE, _K.STORE_NOT_SYNCED, "Sync failing", sentence, headline, next_try_at=store.next_poll_at
            )
        elif store.next_poll_at is not None and store.next_poll_at < now - LATE:
            sentence = (
                f"{store.title}: syncing is running late on our side. New orders show up late, but none are lost."
            )
            headline = f"{store.title}: syncing is running late"
            yield Problem(Kind.OUTAGE, _K.NO_POLL, "Sync running late", sentence, headline)
        if count := len(remainder(store)):
            label = f"{count} unaccounted for"
            orders = "1 order" if count == 1 else f"{count} orders"
            sentence = f"{store.title}: {orders} unaccounted for. Reconciliation lists the order numbers."
            yield Problem(Kind.RECONCILIATION, _K.UNACCOUNTED_FOR, label, sentence)


def _of_the_warehouse(merchant: Merchant, host: Host | None, now: datetime) -> Iterator[Problem]:
    if merchant.credentials_refused_at is not None:
        why = credentials_rejected_because(merchant.credentials_refused_words)
        yield Problem(
            Kind.CREDENTIALS,
            _K.CREDENTIALS_REJECTED,
            "Credentials rejected",
            f"{why} No orders are sent until the warehouse accepts the credentials. We check them every 10 minutes.",
            "The warehouse has rejected your credentials",
            merchant.credentials_refused_at,
        )
    elif host is not None:
        sentence = f"{host.error} Orders are sent as soon as it answers, and none are lost."
        yield _outage_of(host, _WAREHOUSE_FAILING, sentence, _failing("The warehouse", host.error))
    elif merchant.fcp_after is not None and merchant.fcp_after > now:
        sentence = f"Sending is paused until the next try. {merchant.fcp_error}".strip()
        headline = _failing("The warehouse", merchant.fcp_error)
        since, next_try_at = merchant.fcp_failing_since, merchant.fcp_after
        yield Problem(Kind.OUTAGE, _K.HOST_FAILING, _WAREHOUSE_FAILING, sentence, headline, since, next_try_at)
    if merchant.tracking_error:
        headline = "We can't check for shipments"
        yield Problem(Kind.OUTAGE, _K.SHIPMENTS_UNKNOWN, "Shipments unknown", merchant.tracking_error, headline)


def _outage_of(host: Host, label: str, sentence: str, headline: str) -> Problem:
    since, next_try_at = host.failing_since, host.probe_at
    return Problem(Kind.OUTAGE, _K.HOST_FAILING, label, sentence, headline, since, next_try_at, host.name)


def _failing(service: str, error: str) -> str:
    """Say how a service fails, in words that "since 6:35 PM" may follow."""
    return f"{service} has been returning errors" if RETURNED_AN_ERROR in error else f"{service} has been unreachable"


def remainder(store: Store) -> list[str]:
    """Return the order numbers that the store's last reconciliation leaves unaccounted for."""
    found = store.reconciliation
    return [*found["missing"], *found["not_told"]] if found else []


@dataclass(frozen=True, slots=True)
class Health:
    """One merchant in support's list."""

    merchant: Merchant
    stores: Sequence[Store]
    orders: OpenOrders
    problems: Sequence[Problem]
    unknown_statuses: Sequence[UnknownStatus] = ()

    @property
    def stage(self) -> str:
        """How far the merchant's setup is, in a word or two."""
        connected = [store for store in self.stores if store.sealed_token]
        if not connected:
            return "No store"
        if not any(store.live for store in connected):
            return "Not live yet"
        if self.merchant.paused:
            return "Paused"
        return "Test mode" if self.merchant.test_mode else "Live"


def health(
    merchant: Merchant,
    stores: Sequence[Store],
    orders: OpenOrders,
    failing: Mapping[HostName, Host],
    now: datetime,
    *,
    unknown_statuses: Sequence[UnknownStatus] = (),
) -> Health:
    found = problems(merchant, stores, failing, now)
    if count := orders.needing_attention:
        label = "1 order needs attention" if count == 1 else f"{count} orders need attention"
        found.append(Problem(Kind.ORDERS, _K.ORDERS_REJECTED, label, ""))
    if count := sum(one.orders for one in unknown_statuses):
        label = "1 order with an unknown status" if count == 1 else f"{count} orders with an unknown status"
        found.append(Problem(Kind.UNKNOWN_STATUS, _K.SHIPMENTS_UNKNOWN, label, ""))
    return Health(merchant, stores, orders, found, unknown_statuses)
