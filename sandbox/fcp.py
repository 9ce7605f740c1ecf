"""Stand-in for the warehouse's FCP: submit, status and inventory calls as XML over POST."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox import messages
from sandbox.calls import CallLog
from sandbox.fault_injection import Faults
from sandbox.faults import Call
from sandbox.messages import children, local, order_numbers, respond, text
from sandbox.world import Merchant, WarehouseOrder

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from sandbox.messages import Children
    from sandbox.state import State

CALLS = frozenset(messages.ROOTS)
STATUS_PATHS = ("status", "orderstatus")  # beside "orders"; which of the three takes status requests is ASSUMED
MAX_STATUSES = 100  # orders per status request; ASSUMED, like the whole status call

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Endpoint = Callable[["Element", "Children"], str]


class Failure(Exception):  # noqa: N818 - the FCP's own term
    """A rejection in the FCP's words. ASSUMED: sent with HTTP 200 and an Error element."""


class _Dialect:
    """Fault answers in the FCP's format."""

    def rejection(self, kind: str, words: str, call: Call, status: int | None) -> web.Response:
        if kind == "not_found":
            page = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
            return web.Response(status=status or 404, body=page, headers={"Content-Type": "text/html"})
        error = {
            "unauthorized": "Invalid MerchantToken",
            "duplicate": f"Duplicate order number: {', '.join(call.orders)} already exists",
            "refuse": words,
        }[kind]
        return respond(messages.failure(call.name, error), status or 200)

    def namespaced(self, body: bytes) -> bytes:
        for name, (_, root) in messages.ROOTS.items():
            namespace = f'<{root} xmlns="https://fcp.efulfillmentservice.com/xml/{name}">'
            body = body.replace(f"<{root}>".encode(), namespace.encode(), 1)
        return body

    def big(self, size: int) -> web.Response:
        filler = f"<Status>Success</Status><Note>{'x' * size}</Note>"
        return respond(f"<OrderSubmitResponse>{filler}</OrderSubmitResponse>")


class Fcp:
    """The FCP server: its merchants with their orders, its call log and its planned faults."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.world = state.fcp
        self.base_url = ""
        self.log = CallLog()
        self.faults = Faults(_Dialect())

    def clear(self) -> None:
        self.world.clear()
        self.state.changed()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        submit, status = self._endpoint("submit", self._submit), self._endpoint("status", self._status)

        async def by_root(request: web.Request) -> web.StreamResponse:
            root = messages.read(await request.read())
            is_status = root is not None and local(root) == messages.ROOTS["status"][0]
            return await (status if is_status else submit)(request)

        router.add_post("/xml/orders/", by_root)
        for path in STATUS_PATHS:
            router.add_post(f"/xml/{path}/", status)
        router.add_post("/xml/inventory/", self._endpoint("inventory", self._inventory))

    def _endpoint(self, name: str, endpoint: Endpoint) -> Handler:
        """Wrap an endpoint: parse the XML, count the call, apply planned faults, then answer."""

        async def handle(request: web.Request) -> web.StreamResponse:
            root = messages.read(await request.read())
            head = children(root)
            party = text(head, "MerchantId")
            self.log.add(f"POST {request.path}", party, request.path)
            if not self.faults.plans:
                return self._answer(name, endpoint, request, root, head)
            effect = partial(self._answer, name, endpoint, request, root, head)
            return await self.faults.answer(request, Call(name, party, order_numbers(root)), effect)

        return handle

    def _answer(
        self, name: str, endpoint: Endpoint, request: web.Request, root: Element | None, head: Children
    ) -> web.Response:
        try:
            return respond(endpoint(_checked(name, request, root), head))
        except Failure as failure:
            return respond(messages.failure(name, str(failure)))

    def _merchant(self, head: Children, *required: str) -> Merchant:
        for name in ("MerchantId", *required, "MerchantToken"):
            if not text(head, name):
                raise Failure(f"Missing required field: {name}")
        merchant = self.world.merchants.get(text(head, "MerchantId"))
        if merchant is None:
            raise Failure("Invalid MerchantId")
        if "MerchantName" in required and text(head, "MerchantName") != merchant.name:
            raise Failure("Invalid MerchantName")
        if text(head, "MerchantToken") != merchant.token:
            raise Failure("Invalid MerchantToken")
        return merchant

    def _submit(self, _root: Element, head: Children) -> str:
        merchant = self._merchant(head, "Version", "MerchantName")
        version = text(head, "Version")
        if version not in {"0.6", "TEST"}:
            raise Failure(f"Invalid Version: {version}")
        orders = [child for child in head.get("OrderList", ()) if local(child) == "Order"]
        if not orders:
            raise Failure("Missing required field: Order")
        if len(orders) > 1:
            raise Failure("Only one order per request is accepted")
        order = children(orders[0])
        number = text(order, "OrderNumber")
        if not number:
            raise Failure("Missing required field: OrderNumber")
        counted = merchant.tested if version == "TEST" else merchant.posted
        counted[number] = counted.get(number, 0) + 1
        self.state.changed()
        if number in merchant.orders and not merchant.accepts_duplicates:
            raise Failure(f"Duplicate order number: {number} already exists")
        accepted = _check(merchant, number, order, str(self.world.next_order_id))
        if version == "TEST":
            return messages.valid(number)
        merchant.orders[number] = accepted
        merchant.accepted[number] = merchant.accepted.get(number, 0) + 1
        self.world.next_order_id += 1
        return messages.accepted(number, accepted.order_id)

    def _status(self, root: Element, head: Children) -> str:
        merchant = self._merchant(head)
        numbers = order_numbers(root)
        if not numbers:
            raise Failure("Missing required field: OrderNumber")
        if len(numbers) > MAX_STATUSES:
            raise Failure(f"Too many orders: at most {MAX_STATUSES} per request")
        known = (number for number in dict.fromkeys(numbers) if number in merchant.orders)
        return messages.statuses(merchant.orders[number] for number in known)

    def _inventory(self, _root: Element, head: Children) -> str:
        """Return stock levels. ASSUMED: SKUs that the merchant doesn't have are left out."""
        merchant = self._merchant(head)
        wanted = [text(children(item), "Sku") for item in head.get("Items", ())]
        if not any(wanted):
            raise Failure("Missing required field: Sku")
        known = dict.fromkeys(wanted, 100) if merchant.skus is None else merchant.skus
        return messages.stock(merchant.id, [(sku, known[sku]) for sku in wanted if sku in known])


def _checked(name: str, request: web.Request, root: Element | None) -> Element:
    if not request.headers.get("Content-Type", "").startswith("text/xml"):
        raise Failure("Content-Type must be text/xml")
    if root is None:
        raise Failure("The request is not well-formed XML")
    if local(root) != messages.ROOTS[name][0]:
        raise Failure(f"Unexpected element: {local(root)}")
    return root


def _check(merchant: Merchant, number: str, order: Children, order_id: str) -> WarehouseOrder:
    """Return the order as the warehouse stores it. Raises Failure when the warehouse can't ship it."""
    method = text(order, "ShippingMethod")
    if not method:
        raise Failure("Missing required field: ShippingMethod")
    if merchant.methods is not None and method not in merchant.methods:
        raise Failure(f"Invalid ShippingMethod: {method}")
    address = {local(line): line.text.strip() for line in order.get("ShippingAddress", ()) if line.text}
    if not (address.get("FirstName") or address.get("LastName")):
        raise Failure("Missing required field: FirstName")
    needed = ["Address1", "City", "Country"]
    if address.get("Country") in {"US", "USA"}:
        needed += ["State", "PostalCode"]
    for name in needed:
        if not address.get(name):
            raise Failure(f"Missing required field: {name}")
    items = [_item(merchant, children(line)) for line in order.get("ItemList", ()) if local(line) == "Item"]
    if not items:
        raise Failure("Missing required field: Item")
    return WarehouseOrder(number, order_id, method, address, items, time.time())


def _item(merchant: Merchant, line: Children) -> tuple[str, int]:
    sku, quantity = text(line, "Sku"), text(line, "Quantity")
    if not sku:
        raise Failure("Missing required field: Sku")
    if not quantity.isdecimal() or int(quantity) < 1:
        raise Failure(f"Invalid Quantity for {sku}: {quantity}")
    if merchant.skus is not None and sku not in merchant.skus:
        raise Failure(f"Invalid SKU: {sku}")
    return sku, int(quantity)
