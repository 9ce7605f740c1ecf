"""The two servers' data: accounts with orders and products, merchants with the orders they received."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]  # one JSON:API document: {"data": {...}, "included": [...]}


class InvalidRequestError(Exception):
    """A request to the control API or a page that makes no sense; the message is meant for people."""


def stamp(moment: float | None = None) -> str:
    """Format a Unix time (default: now) as Big Cartel does."""
    return datetime.fromtimestamp(time.time() if moment is None else moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(slots=True)
class Account:
    """One Big Cartel store. Orders and products are stored as the documents that the API returns."""

    id: str
    name: str = "Example Shop"
    subdomain: str = "exampleshop"
    email: str = "owner@example.com"
    tokens: list[str] = field(default_factory=list)
    created_at: str = field(default_factory=stamp)
    time_zone: str | None = "Eastern Time (US & Canada)"
    orders: dict[str, Document] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    """Orders that the list of unshipped orders doesn't name, whatever their own status says."""
    products: dict[str, Document] = field(default_factory=dict)
    patches: dict[str, int] = field(default_factory=dict)
    next_id: int = 1

    def new_id(self) -> str:
        self.next_id += 1
        return str(self.next_id - 1)


@dataclass(slots=True)
class OAuthClient:
    """An app that can ask stores for access. Without registered `redirect_uris`, it may use any."""

    id: str
    secret: str
    redirect_uris: list[str] = field(default_factory=list)
    code_seconds: float = 600.0


@dataclass(slots=True)
class BigCartelWorld:
    accounts: dict[str, Account] = field(default_factory=dict)
    clients: dict[str, OAuthClient] = field(default_factory=dict)

    def clear(self) -> None:
        self.accounts.clear()
        self.clients.clear()

    def account(self, account_id: object = None) -> Account:
        """Return the account with this ID, or the first account. Raises InvalidRequestError if there is none."""
        if account_id is None:
            if not self.accounts:
                raise InvalidRequestError("There is no account yet. Create one with PUT /_sandbox/accounts/ID.")
            return next(iter(self.accounts.values()))
        try:
            return self.accounts[str(account_id)]
        except KeyError:
            raise InvalidRequestError(f"There is no account {account_id}.") from None


@dataclass(slots=True)
class WarehouseOrder:
    """An order that the FCP accepted. `accepted_at` is a Unix time, `ship_date` is YYYY-MM-DD.

    `joined` sends all tracking numbers in one element, separated by `;`. With `parts`, the status call lists the order
    once per part; a part is the fields in which it differs from the order, such as `status` and `tracking`.
    """

    number: str
    order_id: str
    method: str
    address: dict[str, str]
    items: list[tuple[str, int]]
    accepted_at: float
    status: str = "Pending"
    ship_date: str = ""
    carrier: str = ""
    tracking: list[str] = field(default_factory=list)
    joined: bool = False
    parts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Merchant:
    """One FCP merchant. None for `skus` or `methods` accepts any value."""

    id: str
    name: str = "Example Shop"
    token: str = ""
    skus: dict[str, int] | None = None
    methods: list[str] | None = None
    accepts_duplicates: bool = False
    """Whether a number that it already has is accepted again, as another order."""
    orders: dict[str, WarehouseOrder] = field(default_factory=dict)
    posted: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    tested: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class FcpWorld:
    merchants: dict[str, Merchant] = field(default_factory=dict)
    next_order_id: int = 901_234

    def clear(self) -> None:
        self.merchants.clear()

    def merchant(self, merchant_id: object = None) -> Merchant:
        """Return the merchant with this ID, or the first merchant. Raises InvalidRequestError if there is none."""
        if merchant_id is None:
            if not self.merchants:
                raise InvalidRequestError("There is no merchant yet. Create one with PUT /_sandbox/merchants/ID.")
            return next(iter(self.merchants.values()))
        try:
            return self.merchants[str(merchant_id)]
        except KeyError:
            raise InvalidRequestError(f"There is no merchant {merchant_id}.") from None


def to_plain(value: object) -> dict[str, Any] | list[str]:
    """Return a dataclass as a dict of its fields, and a set as a list, for `json.dumps(default=...)`."""
    if isinstance(value, set):
        return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    raise TypeError(f"{type(value).__name__} is not part of the saved state")


def bigcartel_from(data: Mapping[str, Any]) -> BigCartelWorld:
    return BigCartelWorld(
        accounts={
            key: Account(**{**value, "unlisted": set(value.get("unlisted", ()))})
            for key, value in data["accounts"].items()
        },
        clients={key: OAuthClient(**value) for key, value in data["clients"].items()},
    )


def fcp_from(data: Mapping[str, Any]) -> FcpWorld:
    merchants = {}
    for key, value in data["merchants"].items():
        orders = {
            number: WarehouseOrder(
                **{**order, "items": [(str(sku), int(quantity)) for sku, quantity in order["items"]]}
            )
            for number, order in value["orders"].items()
        }
        merchants[key] = Merchant(**{**value, "orders": orders})
    return FcpWorld(merchants=merchants, next_order_id=data["next_order_id"])
