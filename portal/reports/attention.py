"""What is wrong with a merchant's stores and ways, worst first: as sentences for the dashboard, words for support."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.wording.stops import CHECK_CREDENTIALS, RECONNECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from portal.models import Merchant, Store
    from portal.reports.overview import OpenOrders

LATE = timedelta(minutes=15)
"""A poll that is overdue for so long is a fault of ours, not a busy minute."""


class Kind(StrEnum):
    """Worst first."""

    RECONNECT = "reconnect"
    CREDENTIALS = "credentials"
    LEDGER = "ledger"
    OUTAGE = "outage"
    PERSON = "person"


_RANK = {kind: position for position, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Trouble:
    """``words`` for a list of merchants; ``sentence`` for the merchant's own page; ``again_at``: the next try."""

    kind: Kind
    words: str
    sentence: str
    again_at: datetime | None = None


def troubles(merchant: Merchant, stores: Sequence[Store], now: datetime) -> list[Trouble]:
    found = [*_of_stores(stores, now), *_of_the_warehouse(merchant, now)]
    return sorted(found, key=lambda trouble: _RANK[trouble.kind])


def _of_stores(stores: Sequence[Store], now: datetime) -> Iterator[Trouble]:
    for store in stores:
        if not store.sealed_token:
            continue
        if store.reconnect_needed_at is not None:
            yield Trouble(Kind.RECONNECT, "Reconnect needed", f"{store.title}: {RECONNECT}")
        elif store.poll_error:
            sentence = f"{store.title} could not be read. {store.poll_error}"
            yield Trouble(Kind.OUTAGE, "Big Cartel not read", sentence, store.next_poll_at)
        elif store.next_poll_at is not None and store.next_poll_at < now - LATE:
            sentence = f"{store.title} should have been read some time ago. Orders arrive here late; none is lost."
            yield Trouble(Kind.OUTAGE, "Polls are late", sentence)
        if count := len(remainder(store)):
            which = "1 order is" if count == 1 else f"{count} orders are"
            sentence = f"{store.title}: {which} not accounted for. The ledger on this page has the numbers."
            yield Trouble(Kind.LEDGER, f"{count} not accounted for", sentence)


def _of_the_warehouse(merchant: Merchant, now: datetime) -> Iterator[Trouble]:
    if merchant.credentials_refused_at is not None:
        words = merchant.credentials_refused_words
        said = f' It said: "{words}".' if words else ""
        yield Trouble(
            Kind.CREDENTIALS, "Credentials refused", f"{CHECK_CREDENTIALS}{said} No order is sent until then."
        )
    elif merchant.fcp_after is not None and merchant.fcp_after > now:
        sentence = f"The warehouse takes no orders at the moment. {merchant.fcp_error}".strip()
        yield Trouble(Kind.OUTAGE, "Warehouse not reached", sentence, merchant.fcp_after)
    if merchant.tracking_error:
        yield Trouble(Kind.OUTAGE, "Shipments not seen", merchant.tracking_error)


def remainder(store: Store) -> list[str]:
    """Order numbers by which the store's last ledger does not add up."""
    found = store.reconciliation
    return [*found["missing"], *found["not_told"]] if found else []


@dataclass(frozen=True, slots=True)
class Health:
    """One merchant in support's list."""

    merchant: Merchant
    stores: Sequence[Store]
    orders: OpenOrders
    troubles: Sequence[Trouble]

    @property
    def rank(self) -> tuple[int, int, int]:
        """Trouble first, worst first, then by how many orders need someone."""
        worst = min((_RANK[one.kind] for one in self.troubles), default=len(Kind))
        return worst, -self.orders.needing_attention, self.merchant.id

    @property
    def stage(self) -> str:
        """How far the merchant is, in a word or two."""
        connected = [store for store in self.stores if store.sealed_token]
        if not connected:
            return "No store"
        if not any(store.live for store in connected):
            return "Not live yet"
        if self.merchant.paused:
            return "Paused"
        return "Test mode" if self.merchant.test_mode else "Live"


def health(merchant: Merchant, stores: Sequence[Store], orders: OpenOrders, now: datetime) -> Health:
    found = troubles(merchant, stores, now)
    if count := orders.needing_attention:
        words = "1 order needs someone" if count == 1 else f"{count} orders need someone"
        found.append(Trouble(Kind.PERSON, words, ""))
    return Health(merchant, stores, orders, found)
