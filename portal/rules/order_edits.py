"""What people change about one order here, without changing it in Big Cartel, and what that makes of the order.

An edit was made for what Big Cartel showed at that time. If Big Cartel shows something else since, nobody has checked
the two together: the edit no longer counts, and the order is on hold until a person decides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING
from zlib import crc32

from portal.clients.bigcartel_types import BigCartelAddress
from portal.rules.sent_address import sent_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.clients.bigcartel_types import BigCartelOrder, LineItem

_FIELDS = tuple(one.name for one in fields(BigCartelAddress))


@dataclass(frozen=True, slots=True)
class ItemEdit:
    """An edit of one item. ``product_id`` and ``option_id`` are those that the item had then.

    ``sku`` is its SKU in this order alone, "" for none. With ``is_not_shipped``, the warehouse doesn't ship the item.
    """

    product_id: str | None
    option_id: str | None
    sku: str = ""
    is_not_shipped: bool = False

    def is_of(self, item: LineItem) -> bool:
        """Return whether the item is still what it was."""
        return (self.product_id, self.option_id) == (item.product_id, item.option_id)


@dataclass(frozen=True, slots=True)
class AddressEdit:
    """The address that a person entered, and the one that Big Cartel showed then."""

    address: BigCartelAddress
    instead_of: BigCartelAddress

    def is_of(self, address: BigCartelAddress) -> bool:
        """Return whether Big Cartel still shows the address that was corrected, or shows the corrected one itself."""
        return _place(address) in {_place(self.instead_of), _place(self.address)}

    def over(self, address: BigCartelAddress) -> BigCartelAddress:
        """Return Big Cartel's address with our correction of each field that it has not changed since."""
        ours = {
            name: getattr(self.address, name)
            for name in _FIELDS
            if getattr(address, name) == getattr(self.instead_of, name)
        }
        return replace(address, **ours)


@dataclass(frozen=True, slots=True)
class ServiceEdit:
    """The code of the carrier service for this order alone, and the order's shipping code when it was chosen."""

    code: str
    shipping_code: str


@dataclass(frozen=True, slots=True)
class OrderEdits:
    """All edits of one order. ``items`` are by the item's id; ``held_by`` is who put the order on hold, "" for none."""

    items: Mapping[str, ItemEdit] = field(default_factory=dict)
    address: AddressEdit | None = None
    service: ServiceEdit | None = None
    held_by: str = ""


NO_EDITS = OrderEdits()


def editable_ids(order: BigCartelOrder) -> frozenset[str]:
    """Return the ids of the items that can be edited: those with an id of their own."""
    counts = Counter(item.id for item in order.items)
    return frozenset(item_id for item_id, count in counts.items() if item_id and count == 1)


def as_sent(order: BigCartelOrder, edits: OrderEdits) -> BigCartelOrder:
    """Return the order with its edits as far as they were sent, to compare two versions of an order that was sent.

    Our own edits then show in neither version, and a later change in Big Cartel still does.
    """
    if edits == NO_EDITS:
        return order
    ids = editable_ids(order)
    left_out = {key for key, edit in edits.items.items() if edit.is_not_shipped and key in ids}
    items = tuple(item for item in order.items if item.id not in left_out or not edits.items[item.id].is_of(item))
    address = edits.address.over(order.address) if edits.address is not None else order.address
    return replace(order, items=items, address=address)


def _place(address: BigCartelAddress) -> BigCartelAddress:
    """Return what the warehouse gets of an address. The country's name is only for people."""
    return replace(sent_address(address), country_name="")


def version_of(address: BigCartelAddress) -> str:
    """Return a short text that differs for another address, to notice that it changed while a form was open."""
    return f"{crc32(repr(_place(address)).encode()):08x}"
