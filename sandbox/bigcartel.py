"""Stand-in for Big Cartel: API version 1 and OAuth, as far as their behavior is known."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.documents import edit_order
from sandbox.fault_injection import Faults
from sandbox.faults import Call
from sandbox.jsonapi import MEDIA_TYPE, ApiError, page, respond, select_orders, select_products, single
from sandbox.oauth import OAuth
from sandbox.parts import USD, countries, country_document
from sandbox.world import Account

if TYPE_CHECKING:
    from sandbox.state import State

CALLS = frozenset({"account", "orders", "order", "patch", "products", "product", "countries", "token"})
WRITABLE = frozenset(
    {
        *("customer_first_name", "customer_last_name", "customer_email", "customer_phone_number"),
        *("customer_note", "shipping_address_1", "shipping_address_2", "shipping_city", "shipping_state"),
        *("shipping_zip", "shipping_country_id", "shipping_status"),
    }
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Endpoint = Callable[[web.Request, Account, bytes], web.Response]


class _Dialect:
    """Fault answers in Big Cartel's format."""

    def rejection(self, kind: str, words: str, call: Call, status: int | None) -> web.Response:
        own_status, title = {
            "unauthorized": (401, "Unauthorized"),
            "not_found": (404, "Not Found"),
            "duplicate": (402, f"{', '.join(call.orders)} already exists"),
            "refuse": (402, words),
        }[kind]
        return ApiError(status or own_status, title).response()

    def namespaced(self, body: bytes) -> bytes:
        return body

    def big(self, size: int) -> web.Response:
        return respond({"data": [], "meta": {"count": "0"}, "included": [], "links": {}, "filler": "x" * size})


class BigCartel:
    """The Big Cartel server: its data, call log and planned faults. Every link starts with `base_url`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.world = state.bigcartel
        self.base_url = ""
        self.log = CallLog()
        self.oauth = OAuth(self.world)
        self.faults = Faults(_Dialect())

    def clear(self) -> None:
        self.world.clear()
        self.oauth.clear()
        self.state.changed()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        api = "/v1/accounts/{account}"
        router.add_get("/v1/accounts", self._endpoint("account", self._accounts))
        router.add_get("/v1/countries", self._endpoint("countries", self._countries))
        router.add_get(api, self._endpoint("account", self._account))
        router.add_get(f"{api}/orders", self._endpoint("orders", self._orders))
        router.add_get(f"{api}/orders/{{order}}", self._endpoint("order", self._order))
        router.add_patch(f"{api}/orders/{{order}}", self._endpoint("patch", self._patch))
        router.add_get(f"{api}/products", self._endpoint("products", self._products))
        router.add_get(f"{api}/products/{{product}}", self._endpoint("product", self._product))
        router.add_get("/oauth/authorize", self._consent)
        router.add_post("/oauth/authorize", self._decide)
        router.add_post("/oauth/token", self._token)
        router.add_post("/oauth/deauthorize/{account}", self._deauthorize)

    def _endpoint(self, name: str, endpoint: Endpoint) -> Handler:
        """Wrap an endpoint: count the call, apply planned faults, check the headers and token, then answer."""

        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read() if request.body_exists else b""
            account, number = request.match_info.get("account", ""), request.match_info.get("order")
            self._count(request, account)
            call = Call(name, account, (number,) if number else ())
            return await self.faults.answer(request, call, partial(self._guarded, name, endpoint, request, body))

        return handle

    def _count(self, request: web.Request, party: str) -> None:
        resource = request.match_info.route.resource
        self.log.add(f"{request.method} {resource.canonical if resource else ''}", party, request.path_qs)

    def _guarded(self, name: str, endpoint: Endpoint, request: web.Request, body: bytes) -> web.Response:
        try:
            return endpoint(request, self._caller(name, request), body)
        except ApiError as error:
            return error.response()

    def _caller(self, name: str, request: web.Request) -> Account:
        """Return the account that the token belongs to. Raises ApiError for a missing header or an unknown token."""
        headers = request.headers
        if not headers.get("User-Agent", "").strip():
            raise ApiError(400, "Missing User-Agent", "Name your app and a contact in User-Agent.")
        if MEDIA_TYPE not in headers.get("Accept", ""):
            raise ApiError(406, "Not Acceptable", f"Send Accept: {MEDIA_TYPE}.")
        if name == "patch" and not headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            raise ApiError(406, "Not Acceptable", f"Send Content-Type: {MEDIA_TYPE}.")
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        wanted = request.match_info.get("account")
        if scheme == "Bearer" and token:
            accounts = self.world.accounts
            for account in accounts.values() if wanted is None else filter(None, [accounts.get(wanted)]):
                if token in account.tokens:
                    return account
        raise ApiError(401, "Unauthorized", "The access token is missing or revoked, or belongs to another account.")

    def _url(self, account: Account, path: str = "") -> str:
        return f"{self.base_url}/v1/accounts/{account.id}{path}"

    # Accounts and countries

    def _accounts(self, _request: web.Request, account: Account, _body: bytes) -> web.Response:
        document = self._account_document(account)
        return respond(
            {
                "data": [document["data"]],
                "meta": {"count": "1"},
                "included": document["included"],
                "links": {},
            }
        )

    def _account(self, _request: web.Request, account: Account, _body: bytes) -> web.Response:
        return respond(self._account_document(account))

    def _account_document(self, account: Account) -> dict[str, Any]:
        return {
            "data": {
                "id": account.id,
                "type": "accounts",
                "attributes": {
                    "subdomain": account.subdomain,
                    "store_name": account.name,
                    "description": "",
                    "contact_email": account.email,
                    "first_name": "Sam",
                    "last_name": "Owner",
                    "url": f"https://{account.subdomain}.bigcartel.com",
                    "website": None,
                    "time_zone": account.time_zone,
                    "launched": True,
                    "under_maintenance": False,
                    "inventory_enabled": False,
                    "artists_enabled": False,
                    "has_active_advanced_tax_settings": False,
                    "created_at": account.created_at,
                    "updated_at": account.created_at,
                },
                "links": {"self": self._url(account)},
                "relationships": {
                    "currency": {"data": {"type": "currencies", "id": "USD"}},
                    "country": {"data": {"type": "countries", "id": "US"}},
                    "plan": {"data": {"type": "plans", "id": "platinum"}},
                    "account_image": {"data": None},
                    "orders": {"links": {"related": self._url(account, "/orders")}},
                    "products": {"links": {"related": self._url(account, "/products")}},
                },
            },
            "included": [
                USD,
                country_document("US"),
                {
                    "id": "platinum",
                    "type": "plans",
                    "attributes": {
                        "max_products": 50,
                        "max_images_per_product": 5,
                        "name": "Platinum",
                        "monthly_rate": "15.0",
                    },
                },
            ],
        }

    def _countries(self, _request: web.Request, _account: Account, _body: bytes) -> web.Response:
        found = countries()
        return respond({"data": found, "meta": {"count": str(len(found))}, "included": [], "links": {}})

    # Orders

    def _orders(self, request: web.Request, account: Account, _body: bytes) -> web.Response:
        found = select_orders(account.orders.values(), request.query, unlisted=account.unlisted)
        return page(found, request.query, self._url(account, "/orders"))

    def _order(self, request: web.Request, account: Account, _body: bytes) -> web.Response:
        number = request.match_info["order"]
        if number not in account.orders:
            raise ApiError(404, "Not Found", f"There is no order {number}.")
        return single(account.orders[number], self._url(account, f"/orders/{number}"))

    def _patch(self, request: web.Request, account: Account, body: bytes) -> web.Response:
        number = request.match_info["order"]
        if number not in account.orders:
            raise ApiError(404, "Not Found", f"There is no order {number}.")
        account.patches[number] = account.patches.get(number, 0) + 1
        edit_order(account, number, _changes(number, body))
        self.state.changed()
        return single(account.orders[number], self._url(account, f"/orders/{number}"))

    # Products

    def _products(self, request: web.Request, account: Account, _body: bytes) -> web.Response:
        found = select_products(account.products.values(), request.query)
        return page(found, request.query, self._url(account, "/products"))

    def _product(self, request: web.Request, account: Account, _body: bytes) -> web.Response:
        product_id = request.match_info["product"]
        if product_id not in account.products:
            raise ApiError(404, "Not Found", f"There is no product {product_id}.")
        return single(account.products[product_id], self._url(account, f"/products/{product_id}"))

    # OAuth

    async def _consent(self, request: web.Request) -> web.StreamResponse:
        return self.oauth.consent(request.query)

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        return self.oauth.decide(form)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._count(request, "")

        def exchange() -> web.Response:
            self.state.changed()
            return self.oauth.token(body)

        return await self.faults.answer(request, Call("token"), exchange)

    async def _deauthorize(self, request: web.Request) -> web.StreamResponse:
        account = request.match_info["account"]
        self._count(request, account)

        def revoke() -> web.Response:
            self.state.changed()
            return self.oauth.deauthorize(account, request.headers.get("Authorization", ""))

        return await self.faults.answer(request, Call("token", account), revoke)


def _changes(number: str, body: bytes) -> dict[str, Any]:
    """Return the attributes that a PATCH sets.

    Raises ApiError when the body is not a JSON:API document of this order or sets an attribute it must not.
    """
    try:
        data = json.loads(body)["data"]
        attributes = data["attributes"]
        matches = data["type"] == "orders" and data["id"] == number
    except (ValueError, KeyError, TypeError):
        raise ApiError(400, "Invalid body", "The body is not a JSON:API document of an order.") from None
    if not matches or not isinstance(attributes, dict):
        raise ApiError(400, "Invalid body", "The type or id in the body doesn't match the order.")
    unknown = set(attributes) - WRITABLE
    if unknown:
        raise ApiError(400, "Invalid attribute", f"Read-only or unknown: {', '.join(sorted(unknown))}.")
    if attributes.get("shipping_status", "shipped") not in {"shipped", "unshipped"}:
        raise ApiError(402, "Invalid shipping_status", "shipping_status must be shipped or unshipped.")
    return attributes
