"""The control API of the FCP stand-in: merchants, what they were sent, shipping it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.control import Control, Plain, set_fields
from sandbox.warehouse import is_open, ship
from sandbox.world import InvalidRequestError, Merchant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from sandbox.world import FcpWorld, WarehouseOrder


class WarehouseControl:
    """Every action takes `merchant` in its body or query; without one all merchants are meant."""

    def __init__(self, world: FcpWorld) -> None:
        self._world = world

    def add_to(self, control: Control) -> None:
        control.add("GET", "merchants", self.merchants)
        control.add("PUT", "merchants/{id}", self.put_merchant)
        control.add("GET", "received", self.received)
        control.add("POST", "ship", self.ship)
        control.add("PATCH", "orders/{number}", self.edit)
        control.add("DELETE", "orders/{number}", self.forget)

    def _some(self, request: web.Request, data: Mapping[str, Any]) -> list[Merchant]:
        wanted = data.get("merchant") or request.query.get("merchant")
        return list(self._world.merchants.values()) if wanted is None else [self._world.merchant(wanted)]

    def merchants(self, _request: web.Request, _data: Plain) -> Plain:
        return {"merchants": [_merchant(merchant) for merchant in self._world.merchants.values()]}

    def put_merchant(self, request: web.Request, data: Plain) -> Plain:
        """`skus` is a list, or an object with the stock of each; null means that every SKU is known."""
        merchant_id = request.match_info["id"]
        merchant = self._world.merchants.setdefault(merchant_id, Merchant(merchant_id))
        if isinstance(data.get("skus"), list):
            data["skus"] = dict.fromkeys(data["skus"], 100)
        set_fields(merchant, data, {"name", "token", "skus", "methods"})
        return _merchant(merchant)

    def received(self, request: web.Request, data: Plain) -> Plain:
        return {
            "orders": [
                _received(merchant, number)
                for merchant in self._some(request, data)
                for number in dict.fromkeys([*merchant.posted, *merchant.tested, *merchant.orders])
            ]
        }

    def ship(self, request: web.Request, data: Plain) -> Plain:
        shipped, wanted = [], data.get("orders", "all")
        for merchant in self._some(request, data):
            for order in merchant.orders.values():
                if is_open(order) if wanted == "all" else order.number in wanted:
                    ship(order)
                    _change(order, data)
                    shipped.append(order.number)
        return {"shipped": shipped}

    def edit(self, request: web.Request, data: Plain) -> Plain:
        number = request.match_info["number"]
        for merchant in self._some(request, data):
            if number in merchant.orders:
                _change(merchant.orders[number], data)
                return _received(merchant, number)
        raise InvalidRequestError(f"The warehouse has no order {number}.")

    def forget(self, request: web.Request, data: Plain) -> Plain:
        for merchant in self._some(request, data):
            merchant.orders.pop(request.match_info["number"], None)
        return {}


def _change(order: WarehouseOrder, data: Mapping[str, Any]) -> None:
    for key in ("status", "ship_date", "carrier", "method", "tracking", "joined"):
        if key in data:
            setattr(order, key, data[key])


def _merchant(merchant: Merchant) -> Plain:
    return {
        "id": merchant.id,
        "name": merchant.name,
        "skus": merchant.skus,
        "methods": merchant.methods,
        "orders": len(merchant.orders),
    }


def _received(merchant: Merchant, number: str) -> Plain:
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
