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
