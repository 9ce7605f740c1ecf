"""What takes back a fix of one order, as its page offers it right after. A buyer's address is never part of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zlib import crc32

from flask import flash, request, url_for

from portal.forms.order_fixes import THIS_ORDER
from portal.views.messages import Undo, flash_with_undo

if TYPE_CHECKING:
    from portal.models import Order

SEEN = "seen_fixes"
"""The field with the version of the order's fixes that the person saw."""


def is_outdated(order: Order) -> bool:
    """Return whether the request is an undo, and somebody has fixed something else since what it takes back."""
    return is_undoing() and request.form[SEEN] != version_of(order)


def version_of(order: Order) -> str:
    return f"{crc32(json.dumps(order.edits, sort_keys=True).encode()):08x}"


def is_undoing() -> bool:
    return SEEN in request.form


def say(text: str, order: Order, undo: Undo | None) -> None:
    """Tell that a fix is saved, and offer to undo it until somebody fixes something else. An undo isn't undone."""
    if undo is None or is_undoing():
        flash(text, "success")
    else:
        flash_with_undo(text, Undo(undo.address, {**undo.fields, SEEN: version_of(order)}))


def of_item(order: Order, item_id: str) -> Undo | None:
    """Return what restores the item's present fix, None if that takes more than one action."""
    before = (order.edits or {}).get("items", {}).get(item_id)
    place: dict[str, Any] = {"number": order.number, "item": item_id}
    if before is None:
        return Undo(url_for("merchant.orders.fixes.use_big_cartels_item", **place))
    if before["is_not_shipped"]:
        return None if before["sku"] else Undo(url_for("merchant.orders.fixes.ship_item", **place))
    return Undo(url_for("merchant.orders.fixes.set_sku", **place), {"sku": before["sku"], "scope": THIS_ORDER})


def of_address(order: Order) -> Undo | None:
    """Return what takes back a corrected address, None if it replaces one that was corrected before."""
    is_first = "address" not in (order.edits or {})
    return Undo(url_for("merchant.orders.fixes.use_big_cartels_address", number=order.number)) if is_first else None


def of_end_of_hold(order: Order) -> Undo | None:
    held = (order.edits or {}).get("hold")
    return Undo(url_for("merchant.orders.fixes.hold", number=order.number), {"note": held["note"]}) if held else None
