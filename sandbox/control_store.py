"""Control API of the Big Cartel stand-in: accounts, apps, orders and products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox import documents, products
from sandbox.control import Control, JsonObject, set_fields
from sandbox.store import realistic_order
from sandbox.world import Account, OAuthClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from sandbox.world import BigCartelWorld


class StoreControl:
    """Control actions of the Big Cartel server.

    `account` in the query or body selects the account. Without it, `orders` and `patches` cover every account and
    the other actions use the first one.
    """

    def __init__(self, world: BigCartelWorld) -> None:
        self._world = world

    def add_to(self, control: Control) -> None:
        control.add("GET", "accounts", self.accounts)
        control.add("PUT", "accounts/{id}", self.put_account)
        control.add("PUT", "clients/{id}", self.put_client)
        control.add("GET", "orders", self.orders)
        control.add("POST", "orders", self.place)
        control.add("PATCH", "orders/{number}", self.edit)
        control.add("DELETE", "orders/{number}", self.delete)
        control.add("POST", "orders/{number}/ship", self.ship)
        control.add("POST", "orders/{number}/cancel", self.cancel)
        control.add("POST", "orders/{number}/relist", self.relist)
        control.add("GET", "products", self.products)
        control.add("PUT", "products/{id}", self.put_product)
        control.add("PATCH", "products/{id}", self.patch_product)
        control.add("DELETE", "products/{id}", self.delete_product)
        control.add("GET", "patches", self.patches)

    def _account(self, request: web.Request, data: Mapping[str, Any]) -> Account:
        return self._world.account(data.get("account") or request.query.get("account"))

    def _accounts(self, request: web.Request) -> list[Account]:
        wanted = request.query.get("account")
        return list(self._world.accounts.values()) if wanted is None else [self._world.account(wanted)]

    def accounts(self, _request: web.Request, _data: JsonObject) -> JsonObject:
        return {"accounts": [_account_summary(account) for account in self._world.accounts.values()]}

    def put_account(self, request: web.Request, data: JsonObject) -> JsonObject:
        account_id = request.match_info["id"]
        account = self._world.accounts.setdefault(account_id, Account(account_id))
        set_fields(account, data, {"name", "subdomain", "email", "time_zone", "tokens"})
        return _account_summary(account)

    def put_client(self, request: web.Request, data: JsonObject) -> JsonObject:
        client_id = request.match_info["id"]
        client = self._world.clients.setdefault(client_id, OAuthClient(client_id, ""))
        set_fields(client, data, {"secret", "redirect_uris", "code_seconds"})
        return {"id": client_id}

    def orders(self, request: web.Request, _data: JsonObject) -> JsonObject:
        return {
            "orders": [
                _order_summary(account, number) for account in self._accounts(request) for number in account.orders
            ]
        }

    def place(self, request: web.Request, data: JsonObject) -> JsonObject:
        account = self._account(request, data)
        abroad, start = bool(data.get("abroad")), len(account.orders)
        numbers = [documents.place(account, spec) for spec in data.get("orders", [])]
        for number in range(start, start + int(data.get("count", 0))):
            spec = realistic_order(account, number, abroad=abroad)
            numbers.append(documents.place(account, {**spec, **data.get("template", {})}))
        return {"numbers": numbers}

    def edit(self, request: web.Request, data: JsonObject) -> JsonObject:
        account, number = self._account(request, data), request.match_info["number"]
        touch = bool(data.get("touch", True))
        documents.edit_order(account, number, data.get("attributes", {}), touch=touch)
        return _order_summary(account, number)

    def ship(self, request: web.Request, data: JsonObject) -> JsonObject:
        account, number = self._account(request, data), request.match_info["number"]
        documents.edit_order(account, number, {"shipping_status": "shipped"})
        return _order_summary(account, number)

    def cancel(self, request: web.Request, data: JsonObject) -> JsonObject:
        how = {name: bool(data.get(name)) for name in ("gone", "unlisted")}
        documents.cancel(self._account(request, data), request.match_info["number"], **how)
        return {}

    def relist(self, request: web.Request, data: JsonObject) -> JsonObject:
        account, number = self._account(request, data), request.match_info["number"]
        account.unlisted = [one for one in account.unlisted if one != number]
        return {}

    def delete(self, request: web.Request, data: JsonObject) -> JsonObject:
        documents.cancel(self._account(request, data), request.match_info["number"], gone=True)
        return {}

    def products(self, request: web.Request, data: JsonObject) -> JsonObject:
        return {"products": list(self._account(request, data).products.values())}

    def put_product(self, request: web.Request, data: JsonObject) -> JsonObject:
        spec = {key: value for key, value in data.items() if key != "account"}
        return products.put(self._account(request, data), {**spec, "id": request.match_info["id"]})

    def patch_product(self, request: web.Request, data: JsonObject) -> JsonObject:
        attributes = {key: value for key, value in data.items() if key != "account"}
        return products.edit(self._account(request, data), request.match_info["id"], attributes)

    def delete_product(self, request: web.Request, data: JsonObject) -> JsonObject:
        products.delete(self._account(request, data), request.match_info["id"])
        return {}

    def patches(self, request: web.Request, _data: JsonObject) -> JsonObject:
        total: dict[str, int] = {}
        for account in self._accounts(request):
            for number, count in account.patches.items():
                total[number] = total.get(number, 0) + count
        return {"patches": total}


def _account_summary(account: Account) -> JsonObject:
    return {
        "id": account.id,
        "name": account.name,
        "tokens": account.tokens,
        "orders": len(account.orders),
        "products": len(account.products),
    }


def _order_summary(account: Account, number: str) -> JsonObject:
    attributes = documents.order(account, number)["data"]["attributes"]
    return {
        "account": account.id,
        "number": number,
        "shipping_status": attributes.get("shipping_status"),
        "payment_status": attributes.get("payment_status"),
        "updated_at": attributes.get("updated_at"),
        "patches": account.patches.get(number, 0),
    }
