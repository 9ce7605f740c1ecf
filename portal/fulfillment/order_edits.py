"""Read an order's edits from its row, and write them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from portal.clients.bigcartel_types import BigCartelAddress
from portal.models.stored import StoredItemEdit
from portal.rules.order_edits import NO_EDITS, AddressEdit, ItemEdit, OrderEdits, ServiceEdit, editable_ids

if TYPE_CHECKING:
    from portal.clients.bigcartel_types import BigCartelOrder
    from portal.models import StoredEdits
    from portal.models.stored import StoredAddress


def read_edits(stored: StoredEdits | None) -> OrderEdits:
    """Return an order's edits as the rules take them."""
    if not stored:
        return NO_EDITS
    address, service, hold = stored.get("address"), stored.get("service"), stored.get("hold")
    return OrderEdits(
        items={item_id: ItemEdit(**item) for item_id, item in stored.get("items", {}).items()},
        address=AddressEdit(BigCartelAddress(**address["address"]), BigCartelAddress(**address["instead_of"]))
        if address
        else None,
        service=ServiceEdit(**service) if service else None,
        held_by=hold["by"] if hold else "",
    )


def stored_address(address: BigCartelAddress) -> StoredAddress:
    return cast("StoredAddress", asdict(address))


def with_item(
    edits: StoredEdits,
    order: BigCartelOrder,
    item_id: str,
    *,
    sku: str | None = None,
    is_not_shipped: bool | None = None,
) -> None:
    """Change the edit of one item; what is None stays. An edit that changes nothing is removed.

    One that was made for another product or option ends.
    """
    items = edits.setdefault("items", {})
    before = items.pop(item_id, None)
    if item_id not in editable_ids(order):
        return
    found = next(item for item in order.items if item.id == item_id)
    if before and not ItemEdit(**before).is_of(found):
        before = None
    item = StoredItemEdit(
        product_id=found.product_id,
        option_id=found.option_id,
        sku=(before["sku"] if before else "") if sku is None else sku,
        is_not_shipped=bool(before and before["is_not_shipped"]) if is_not_shipped is None else is_not_shipped,
    )
    if item["sku"] or item["is_not_shipped"]:
        items[item_id] = item
