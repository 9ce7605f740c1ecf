"""What is left to ship of an order, which may be less than what was ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.rules.hold_reasons import Hold, HoldReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.clients.bigcartel import BigCartelOrder, LineItem


def left_to_ship(item: LineItem) -> int:
    """Return how many are left to ship: Big Cartel's own number, or all that were ordered. 0 if unreadable."""
    return item.quantity_unshipped if item.quantity_unshipped is not None else item.quantity or 0


def contradiction(item: LineItem) -> str:
    """Return the item's numbers if they can't all be right, as part of a sentence, or ""."""
    ordered, shipped, left = item.quantity, item.quantity_shipped, item.quantity_unshipped
    if ordered is None:
        return ""
    adds_up = shipped is None or left is None or shipped + left == ordered
    if adds_up and max(shipped or 0, left or 0) <= ordered:
        return ""
    numbers = {"ordered": ordered, "shipped": shipped, "left to ship": left}
    return ", ".join(f"{number} {what}" for what, number in numbers.items() if number is not None)


def quantity_holds(order: BigCartelOrder) -> Iterator[Hold]:
    """Yield a hold if the order is partly shipped with nothing said about the rest, or its quantities don't match.

    ``item_count`` counts what was ordered, not lines: seen in all known answers, and in Big Cartel's own cart.
    """
    shipped_before = any(
        item.quantity_unshipped is None and (item.quantity_shipped or order.has_shipments) for item in order.items
    )
    if "partial" in order.shipping_status or shipped_before:
        yield Hold(HoldReason.PARTLY_SHIPPED)
    ordered = [item.quantity for item in order.items]
    if order.item_count is None or None in ordered or "items" in order.unreadable:
        return
    if (counted := sum(filter(None, ordered))) != order.item_count:
        yield Hold(
            HoldReason.QUANTITIES_DISAGREE,
            f"the order counts {order.item_count}, its items come to {counted}",
        )
