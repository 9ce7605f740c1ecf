"""What the FCP takes and says, as typed values: credentials, a submission, the status of an order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from portal.clients.errors import Exchange


@dataclass(frozen=True, slots=True)
class Credentials:
    """What identifies a merchant to the FCP (Client Info, My Settings)."""

    merchant_id: str
    merchant_name: str
    merchant_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FcpAddress:
    """The elements of ShippingAddress, in the FCP's terms; empty ones are left out of the XML."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class FcpItem:
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What one submission says. Every text is free of characters that XML cannot carry."""

    order_number: str
    shipping_method: str
    address: FcpAddress
    items: tuple[FcpItem, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The FCP took the order."""

    order_id: str
    order_status: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """What the FCP says of one order. ``status`` is its own word, trimmed, case kept."""

    order_number: str
    order_id: str
    status: str
    ship_date: date | None
    carrier: str
    tracking_numbers: tuple[str, ...]
    raw: str = field(default="", compare=False)
    """The part of the answer that is about this order."""

    @property
    def is_shipped(self) -> bool:
        """Completed and Shipped mean the same: the warehouse's panel says the one, people the other."""
        return self.status.casefold() in {"completed", "shipped"}

    @property
    def is_cancelled(self) -> bool:
        return self.status.casefold() in {"cancelled", "canceled"}
