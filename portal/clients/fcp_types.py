"""The FCP's data as typed values: credentials, a submission, and the status of an order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.clients.fcp_statuses import StatusKind, kind_of_status

if TYPE_CHECKING:
    from datetime import date

    from portal.clients.errors import Exchange


@dataclass(frozen=True, slots=True)
class Credentials:
    """A merchant's credentials for the FCP (found there under Client Info > My Settings)."""

    merchant_id: str
    merchant_name: str
    merchant_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FcpAddress:
    """The elements of ShippingAddress; empty ones are left out of the XML."""

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
    """One order to submit. No text has characters that XML can't hold."""

    order_number: str
    shipping_method: str
    address: FcpAddress
    items: tuple[FcpItem, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The FCP's answer to a submission that it accepted."""

    order_id: str
    order_status: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """The FCP's status of one order. ``status`` is its own word, trimmed, with its case unchanged."""

    order_number: str
    order_id: str
    status: str
    ship_date: date | None
    carrier: str
    tracking_numbers: tuple[str, ...]
    raw: str = field(default="", compare=False)
    """The part of the answer about this order, as XML."""

    @property
    def kind(self) -> StatusKind:
        return kind_of_status(self.status)

    @property
    def is_shipped(self) -> bool:
        return self.kind is StatusKind.SHIPPED

    @property
    def is_cancelled(self) -> bool:
        return self.kind is StatusKind.CANCELED
