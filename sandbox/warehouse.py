"""Ship warehouse orders: on request and, with --ship-after, most of them automatically."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from sandbox.state import State
    from sandbox.world import WarehouseOrder

SHIPPED = frozenset({"Completed", "Shipped"})
CLOSED = SHIPPED | {"Cancelled"}
SHIPPED_PER_TEN = 7  # orders that ship automatically, out of ten
MAX_INTERVAL = 0.5  # seconds between two passes over the orders


def is_open(order: WarehouseOrder) -> bool:
    return order.status not in CLOSED


def ship(order: WarehouseOrder, now: float | None = None) -> None:
    """Complete an order and its open parts; make up ship date, carrier and tracking number if they are not set."""
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    order.status = "Completed"
    order.ship_date = order.ship_date or f"{moment:%Y-%m-%d}"
    order.carrier = order.carrier or _carrier(order.method)
    if not order.tracking:
        digits = f"{int(order.order_id):012}"
        number = {"UPS": f"1Z999AA1{digits[-10:]}", "FedEx": f"7712{digits[-8:]}"}
        order.tracking = [number.get(order.carrier, f"9400111899{digits}")]
    for part in order.parts:
        if part.get("status") not in CLOSED:
            part["status"] = "Completed"


def _carrier(method: str) -> str:
    if method.upper().startswith("UPS"):
        return "UPS"
    return "FedEx" if method.upper().startswith(("FEDEX", "FDX", "FX")) else "USPS"


async def keep_shipping(state: State, after: float) -> None:
    """Until canceled, start processing orders halfway through `after` seconds, and ship most at the end."""
    while True:
        await asyncio.sleep(min(MAX_INTERVAL, max(after / 4, 0.05)))
        now = time.time()
        for merchant in state.fcp.merchants.values():
            for order in merchant.orders.values():
                if _advance(order, after, now):
                    state.changed()


def stays_open(number: str) -> bool:
    """Return whether this order is one of those that only ship manually."""
    return crc32(number.encode()) % 10 >= SHIPPED_PER_TEN


def _advance(order: WarehouseOrder, after: float, now: float) -> bool:
    age = now - order.accepted_at
    if order.status == "Pending" and age >= after / 2:
        order.status = "In Process"
        return True
    if order.status == "In Process" and age >= after and not stays_open(order.number):
        ship(order, now)
        return True
    return False
