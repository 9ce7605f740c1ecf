"""Control API of the FCP stand-in: merchants, the orders they received, and shipping."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.control import Control, JsonObject, set_fields
from sandbox.warehouse import is_open, ship
from sandbox.world import InvalidRequestError, Merchant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from sandbox.world import FcpWorld, WarehouseOrder


class WarehouseControl:
    """Control actions of the FCP server. `merchant` in the body or query selects one; the default is all."""

    def __init__(self, world: FcpWorld) -> None:
        self._world = world

    def add_to(self, control: Control) -> None:
        control.add("GET", "merchants", self.merchants)
        control.add("PUT", "merchants/{id}", self.put_merchant)
        control.add("GET", "received", self.received)
        control.add("POST", "ship", self.ship)
        control.add("PATCH", "orders/{number}", self.edit)
        control.add("DELETE", "orders/{number}", self.forget)

    def _merchants(self, request: web.Request, data: Mapping[str, Any]) -> list[Merchant]:
        wanted = data.get("merchant") or request.query.get("merchant")
        return list(self._world.merchants.values()) if wanted is None else [self._world.merchant(wanted)]

    def merchants(self, _request: web.Request, _data: JsonObject) -> JsonObject:
        return {"merchants": [_merchant_summary(merchant) for merchant in self._world.merchants.values()]}

    def put_merchant(self, request: web.Request, data: JsonObject) -> JsonObject:
        """Create or update a merchant. `skus` is a list, or an object of stock levels by SKU; null accepts any SKU."""
        merchant_id = request.match_info["id"]
        merchant = self._world.merchants.setdefault(merchant_id, Merchant(merchant_id))
        if isinstance(data.get("skus"), list):
            data["skus"] = dict.fromkeys(data["skus"], 100)
        set_fields(merchant, data, {"name", "token", "skus", "methods", "accepts_duplicates"})
        return _merchant_summary(merchant)

    def received(self, request: web.Request, data: JsonObject) -> JsonObject:
        return {
            "orders": [
                _order_summary(merchant, number)
                for merchant in self._merchants(request, data)
                for number in dict.fromkeys([*merchant.posted, *merchant.tested, *merchant.orders])
            ]
        }

    def ship(self, request: web.Request, data: JsonObject) -> JsonObject:
        shipped, wanted = [], data.get("orders", "all")
        for merchant in self._merchants(request, data):
            for order in merchant.orders.values():
                if is_open(order) if wanted == "all" else order.number in wanted:
                    ship(order)
                    _update(order, data)
                    shipped.append(order.number)
        return {"shipped": shipped}

    def edit(self, request: web.Request, data: JsonObject) -> JsonObject:
        number = request.match_info["number"]
        for merchant in self._merchants(request, data):
            if number in merchant.orders:
                _update(merchant.orders[number], data)
                return _order_summary(merchant, number)
        raise InvalidRequestError(f"The warehouse has no order {number}.")

    def forget(self, request: web.Request, data: JsonObject) -> JsonObject:
        for merchant in self._merchants(request, data):
            merchant.orders.pop(request.match_info["number"], None)
        return {}


def _update(order: WarehouseOrder, data: Mapping[str, Any]) -> None:
    for key in ("status", "ship_date", "carrier", "method", "tracking", "joined"):
        if key in data:
            setattr(order, key, data[key])
    if "parts" in data:
        order.parts = [_part(part) for part in data["parts"]]


def _part(data: Mapping[str, Any]) -> JsonObject:
    unknown = set(data) - {"order_id", "status", "ship_date", "carrier", "method", "tracking", "joined"}
    if unknown:
        raise InvalidRequestError(f"Unknown fields of a part: {', '.join(sorted(unknown))}.")
    return dict(data)


def _merchant_summary(merchant: Merchant) -> JsonObject:
    return {
        "id": merchant.id,
        "name": merchant.name,
        "skus": merchant.skus,
        "methods": merchant.methods,
        "orders": len(merchant.orders),
    }


def _order_summary(merchant: Merchant, number: str) -> JsonObject:
    order = merchant.orders.get(number)
    counts = {
        "merchant": merchant.id,
        "number": number,
        "posted": merchant.posted.get(number, 0),
        "accepted": merchant.accepted.get(number, 0),
        "tested": merchant.tested.get(number, 0),
    }
    if order is None:
        return {**counts, "status": "", "items": []}
    return {
        **counts,
        "order_id": order.order_id,
        "status": order.status,
        "shipping_method": order.method,
        "address": order.address,
        "items": [{"sku": sku, "quantity": quantity} for sku, quantity in order.items],
        "ship_date": order.ship_date,
        "carrier": order.carrier,
        "tracking": order.tracking,
        "seconds": round(time.time() - order.accepted_at, 1),
    }
