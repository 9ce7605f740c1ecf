"""Big Cartel's data as typed values: orders with their items, products, and the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

Document = Mapping[str, Any]
"""One order as the API sends it: ``data``, and in ``included`` only the objects that belong to it."""


@dataclass(frozen=True, slots=True)
class BigCartelAddress:
    """A shipping address. Missing and null fields are empty strings; text is as the buyer typed it."""

    first_name: str = ""
    last_name: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country_code: str = ""
    country_name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of an order. ``quantity`` is None when it is missing or not a positive whole number.

    ``quantity_shipped`` and ``quantity_unshipped`` are None when they are missing, as in older answers.
    """

    id: str
    product_id: str | None
    product_name: str
    option_id: str | None
    option_name: str
    quantity: int | None
    quantity_shipped: int | None = None
    quantity_unshipped: int | None = None


@dataclass(frozen=True, slots=True)
class BigCartelOrder:
    """One order. ``unreadable`` names the fields whose values had an unknown type.

    ``labels`` are those of the adjustments that may name a shipping rate, ``discounts`` those of the discounts.
    ``item_count`` is Big Cartel's own count of what was ordered. ``cancellations`` are the signs that the order was
    canceled or refunded, each a part of a sentence without the buyer's data. ``has_shipments`` means that a part of it
    was shipped.
    """

    number: str
    payment_status: str
    shipping_status: str
    placed_at: datetime | None
    updated_at: datetime | None
    address: BigCartelAddress
    items: tuple[LineItem, ...]
    labels: tuple[str, ...] = ()
    discounts: tuple[str, ...] = ()
    note: str = ""
    item_count: int | None = None
    cancellations: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    has_shipments: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class BigCartelProduct:
    id: str
    name: str
    permalink: str
    status: str
    description: str
    url: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """The store that a token belongs to; ``url`` is the store's website, ``time_zone`` as Big Cartel spells it."""

    id: str
    name: str
    url: str
    time_zone: str = ""
