"""FCP messages: parse requests from XML and write answers as XML."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element as Element

    from sandbox.world import WarehouseOrder

Children = dict[str, "Element"]

HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Call -> root element of the request, root element of the answer.
ROOTS = {
    "submit": ("OrderSubmitRequest", "OrderSubmitResponse"),
    "status": ("OrderStatusRequest", "OrderStatusResponse"),
    "inventory": ("InventoryRequest", "InventoryResponse"),
}
INVENTORY_NAMESPACE = (
    'xmlns="https://fcp.efulfillmentservice.com/xml/inventory" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="https://fcp.efulfillmentservice.com/xml/inventory InventoryResponse.xsd"'
)

# Requests are untrusted: no entities, no DTD, no network access.
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


def read(body: bytes) -> Element | None:
    """Parse a request and return its root, or None if it is not well-formed or has a DTD."""
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError:
        return None
    return None if root.getroottree().docinfo.doctype else root


def local(element: Element) -> str:
    """Return the element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Iterable[Element] | None) -> Children:
    """Return the child elements by name. If a name repeats, the last one wins."""
    return {} if element is None else {local(child): child for child in element}


def text(elements: Children, name: str) -> str:
    child = elements.get(name)
    return "" if child is None else (child.text or "").strip()


def order_numbers(root: Element | None) -> tuple[str, ...]:
    """Return every order number in a request, for any call."""
    if root is None:
        return ()
    return tuple((one.text or "").strip() for one in root.iter("{*}OrderNumber") if one.text)


def accepted(number: str, order_id: str) -> str:
    return (
        f"<OrderSubmitResponse><Status>Success</Status><OrderId>{order_id}</OrderId>"
        f"<OrderNumber>{escape(number, quote=False)}</OrderNumber><OrderStatus>Pending</OrderStatus>"
        "</OrderSubmitResponse>"
    )


def valid(number: str) -> str:
    """Answer a valid TEST order. ASSUMED: Success without an OrderId."""
    return (
        f"<OrderSubmitResponse><Status>Success</Status><OrderNumber>{escape(number, quote=False)}"
        "</OrderNumber><OrderStatus>Test</OrderStatus></OrderSubmitResponse>"
    )


def statuses(orders: Iterable[WarehouseOrder]) -> str:
    return (
        "<OrderStatusResponse><Status>Success</Status><Orders>"
        f"{''.join(_status(part) for order in orders for part in _parts(order))}</Orders></OrderStatusResponse>"
    )


def _parts(order: WarehouseOrder) -> list[WarehouseOrder]:
    """Return the entries of an order. ASSUMED: a split shipment lists its number once per part."""
    return [replace(order, **part) for part in order.parts] or [order]


def _status(order: WarehouseOrder) -> str:
    found = [
        (
            f"<Order><OrderNumber>{escape(order.number, quote=False)}</OrderNumber>"
            f"<OrderId>{order.order_id}</OrderId><OrderStatus>{escape(order.status)}</OrderStatus>"
        )
    ]
    if order.ship_date:
        found.append(f"<ShipDate>{escape(order.ship_date)}</ShipDate>")
    if order.carrier:
        found.append(f"<Carrier>{escape(order.carrier)}</Carrier>")
    found.append(f"<ShippingMethod>{escape(order.method)}</ShippingMethod>")
    if order.tracking:
        numbers = [";".join(order.tracking)] if order.joined else order.tracking
        inner = "".join(f"<TrackingNumber>{escape(number)}</TrackingNumber>" for number in numbers)
        found.append(f"<TrackingNumbers>{inner}</TrackingNumbers>")
    return "".join([*found, "</Order>"])


def stock(merchant_id: str, levels: Iterable[tuple[str, int]]) -> str:
    """Answer an inventory call. ASSUMED: the child elements of Item."""
    items = "".join(
        f"<Item><Sku>{escape(sku, quote=False)}</Sku><Quantity>{level}</Quantity></Item>" for sku, level in levels
    )
    return (
        f"<InventoryResponse {INVENTORY_NAMESPACE}><MerchantId>{escape(merchant_id)}</MerchantId>"
        f"<Items>{items}</Items></InventoryResponse>"
    )


def failure(call: str, words: str) -> str:
    root = ROOTS[call][1]
    namespace = f" {INVENTORY_NAMESPACE}" if call == "inventory" else ""
    error = escape(words, quote=False)
    return f"<{root}{namespace}><Status>Failure</Status><Error>{error}</Error></{root}>"


def respond(xml: str, status: int = 200) -> web.Response:
    return web.Response(status=status, body=f"{DECLARATION}{xml}".encode(), headers=HEADERS)
