"""Types of the values stored as JSON in a column."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class StoredHold(TypedDict):
    """One reason why an order is held: portal.rules.hold_reasons.Hold as JSON."""

    reason: str
    detail: str


class StoredLine(TypedDict):
    """One item of an order, with its SKU: portal.rules.assessment.Line as JSON."""

    item_id: str
    name: str
    option: str
    product_id: str | None
    sku: str
    quantity: int
    source: str
    left_out: bool
    problems: list[str]
    option_id: NotRequired[str | None]
    """Big Cartel's id of the option. Lines that were stored before it was kept lack it."""


class StoredAddress(TypedDict):
    """portal.clients.bigcartel_types.BigCartelAddress as JSON."""

    first_name: str
    last_name: str
    address_1: str
    address_2: str
    city: str
    state: str
    zip: str
    country_code: str
    country_name: str
    phone: str
    email: str


class StoredItemEdit(TypedDict):
    """portal.rules.order_edits.ItemEdit as JSON."""

    product_id: str | None
    option_id: str | None
    sku: str
    is_not_shipped: bool


class StoredAddressEdit(TypedDict):
    """portal.rules.order_edits.AddressEdit as JSON."""

    address: StoredAddress
    instead_of: StoredAddress


class StoredServiceEdit(TypedDict):
    """portal.rules.order_edits.ServiceEdit as JSON."""

    code: str
    shipping_code: str


class StoredOwnHold(TypedDict):
    """A hold that a person put on an order, with their email address and their note, "" for none."""

    by: str
    at: str
    note: str


class StoredEdits(TypedDict):
    """What people changed about one order here: portal.rules.order_edits.OrderEdits as JSON."""

    items: NotRequired[dict[str, StoredItemEdit]]
    """By the item's id in Big Cartel."""
    address: NotRequired[StoredAddressEdit]
    service: NotRequired[StoredServiceEdit]
    hold: NotRequired[StoredOwnHold]


class StoredListView(TypedDict):
    """How a person wants to see the order list: portal.reports.list_view.ListView as JSON."""

    columns: list[str]
    dense: bool


class StoredDifference(TypedDict):
    """One field of an order that changed in Big Cartel after it was sent, as a person reads it."""

    field: str
    """What changed: "Street", "Quantity of Tea Towel", "Payment"."""
    before: str
    after: str


class StoredReconciliation(TypedDict):
    """portal.fulfillment.poll.reconciliation.Reconciliation as JSON."""

    at: str
    unshipped_and_paid: int
    at_the_warehouse: int
    waiting: dict[str, int]
    left_out: int
    missing: list[str]
    shipped_by_the_warehouse: int
    being_told: int
    not_told: list[str]
    warehouse_asked: bool
    confirmed: NotRequired[list[str]]
    """Those of ``missing`` and ``not_told`` that the count before also named. Older counts lack it."""
