"""Write and read the FCP's XML. Nothing here makes a call.

Only the order and inventory requests are documented. The answers, and the whole status call, are a working contract
(ASSUMED): elements are matched by local name in any namespace, and none is required unless we need it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from portal.clients.errors import Busy, UnexpectedAnswer
from portal.clients.failure_kinds import Kind, kind_of
from portal.clients.failures import unreadable
from portal.clients.fcp_dates import read_date
from portal.clients.fcp_numbers import finder
from portal.clients.fcp_parts import combined
from portal.clients.fcp_tracking import tracking_numbers
from portal.clients.fcp_types import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from portal.clients.errors import Exchange
    from portal.clients.fcp_types import Credentials, OrderRequest

WAREHOUSE = "the warehouse"
"""The FCP's name in messages, as it reads within a sentence."""
MAX_XML_BYTES = 1024 * 1024
VERSION, TEST_VERSION = "0.6", "TEST"

_Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type of its elements
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)
_FAILURES = frozenset({"failure", "failed", "fail", "error", "errors", "rejected", "refused", "denied", "invalid"})
_FAILURE_TEXTS = ("Error", "Description", "Message", "ErrorDescription", "ErrorMessage")
NOT_FOUND = re.compile(
    r"not found|unknown|no such|does not exist|not exist|invalid order|\bno (?:matching )?orders?\b", re.IGNORECASE
)


def xml_text(text: str) -> tuple[str, int]:
    """Return ``text`` without the characters that XML 1.0 can't hold, and how many were dropped."""
    return (text, 0) if text.isascii() and text.isprintable() else _NOT_XML.subn("", text)


def submission_xml(order: OrderRequest, credentials: Credentials, *, test: bool = False) -> bytes:
    """Return the body of a submission; with ``test``, the FCP checks the order without accepting it."""
    root = etree.Element("OrderSubmitRequest")
    _add(root, "Version", TEST_VERSION if test else VERSION)
    _add(root, "MerchantId", credentials.merchant_id)
    _add(root, "MerchantName", credentials.merchant_name)
    _add(root, "MerchantToken", credentials.merchant_token)
    element = etree.SubElement(etree.SubElement(root, "OrderList"), "Order")
    _add(element, "OrderNumber", order.order_number)
    _add(element, "ShippingMethod", order.shipping_method)
    to, address = etree.SubElement(element, "ShippingAddress"), order.address
    _add(to, "FirstName", address.first_name)
    _add(to, "LastName", address.last_name)
    _add(to, "Company", address.company)
    _add(to, "Address1", address.address1)
    _add(to, "Address2", address.address2)
    _add(to, "City", address.city)
    _add(to, "State", address.state)
    _add(to, "PostalCode", address.postal_code)
    _add(to, "Country", address.country)
    _add(to, "Phone", address.phone)
    _add(to, "Email", address.email)
    items = etree.SubElement(element, "ItemList")
    for line in order.items:
        item = etree.SubElement(items, "Item")
        _add(item, "Sku", line.sku)
        _add(item, "Quantity", str(line.quantity))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def status_xml(numbers: Iterable[str], credentials: Credentials) -> bytes:
    """Return the body that requests the status of several orders (ASSUMED)."""
    root = etree.Element("OrderStatusRequest")
    _add(root, "MerchantId", credentials.merchant_id)
    _add(root, "MerchantToken", credentials.merchant_token)
    orders = etree.SubElement(root, "Orders")
    for number in numbers:
        _add(etree.SubElement(orders, "Order"), "OrderNumber", number)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def inventory_xml(skus: Iterable[str], credentials: Credentials) -> bytes:
    """Return the body that requests the stock of some SKUs (documented; it has no MerchantName)."""
    root = etree.Element("InventoryRequest")
    _add(root, "MerchantId", credentials.merchant_id)
    _add(root, "MerchantToken", credentials.merchant_token)
    items = etree.SubElement(root, "Items")
    for sku in skus:
        _add(etree.SubElement(items, "Item"), "Sku", sku)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def parse_answer(body: bytes) -> _Element:
    """Return the root of an answer. Raises UnexpectedAnswer if it isn't XML, has a DOCTYPE, or is over 1 MiB."""
    if len(body) > MAX_XML_BYTES:
        raise unreadable_answer("longer than 1 MiB")
    if b"<!DOCTYPE" in body:
        raise unreadable_answer("it has a DOCTYPE")
    try:
        root = etree.fromstring(body.lstrip(), _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise unreadable_answer("not XML" if body.strip() else "empty") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise unreadable_answer("it has a DOCTYPE")
    return root


def verdict(root: _Element, *, top_only: bool = False) -> bool | None:
    """Return True for Status Success, False for a failure, and None when the answer says neither or both.

    A success that also has an error text contradicts itself, so it counts as neither. With ``top_only``, only the
    root's children count, not what the answer says about single orders.
    """

    def texts(name: str) -> set[str]:
        found = root.iterchildren(f"{{*}}{name}") if top_only else _named(root, name)
        return {text for element in found if (text := _text(element))}

    words = {word.casefold() for word in texts("Status")}
    errors = texts("Error") | texts("Errors")
    if words == {"success"}:
        return None if errors else True
    if words <= _FAILURES and (words or errors):
        return False
    return None


def lists_statuses(root: _Element) -> bool:
    """Return whether an answer that isn't a failure is a status answer: a success, or at least the list itself.

    A success for some other call proves nothing about orders that it doesn't list.
    """
    if verdict(root, top_only=True):
        return local_name(root) == "OrderStatusResponse" or _has(root, "Orders")
    named = local_name(root) == "OrderStatusResponse" and _has(root, "Orders")
    return named and next(root.iterchildren("{*}Status"), None) is None


def failure_words(root: _Element) -> str:
    """Return a failure's texts joined by "; "; they may be in Error, Description, Message, and other elements."""
    texts = [_text(element) for name in _FAILURE_TEXTS for element in _named(root, name)]
    if not any(texts):
        texts = [_text(element) for element in _named(root, "Errors")]
    return "; ".join(dict.fromkeys(text for text in texts if text))


def error_words(body: bytes) -> str:
    """Return the texts of a failure in any body; "" when it has none or contradicts itself. Never raises."""
    try:
        root = parse_answer(body)
    except UnexpectedAnswer:
        return ""
    return failure_words(root) if verdict(root) is False else ""


def first_text(root: _Element, name: str) -> str:
    """Return the trimmed text of the first element with that name, or ""."""
    return next((_text(element) for element in _named(root, name)), "")


def local_name(root: _Element) -> str:
    """Return the root's name without its namespace."""
    return etree.QName(root).localname


def read_statuses(root: _Element, requested: Sequence[str]) -> dict[str, OrderStatus]:
    """Return the requested orders from a status answer; those that the FCP doesn't know are left out.

    The keys are the numbers as requested; the FCP may write them in another case. Several entries for one number, such
    as the parts of a split shipment, are combined. Raises UnexpectedAnswer for an entry with neither a status nor the
    FCP's own id, which proves nothing, and Busy if its message says that the FCP couldn't look the order up.
    """
    find = finder(requested)
    found: dict[str, list[OrderStatus]] = {}
    for order in _named(root, "Order"):
        number = find(first_text(order, "OrderNumber"))
        if number is not None and (part := _part(order, number)) is not None:
            found.setdefault(number, []).append(part)
    return {number: combined(parts) for number, parts in found.items()}


def _part(order: _Element, number: str) -> OrderStatus | None:
    """Return one entry of a status answer; None if it says that the FCP doesn't know the order."""
    order_id, status = first_text(order, "OrderId"), first_text(order, "OrderStatus")
    if not order_id and NOT_FOUND.search(status):
        return None
    words = "" if order_id else failure_words(order)
    if words and (not status or status.casefold() in _FAILURES):
        if kind_of(words, (number,)) is Kind.BUSY:
            raise Busy(f"{WAREHOUSE} couldn't look up an order just now.", service=WAREHOUSE, words=words)
        return None
    if not order_id and not status:
        raise unreadable_answer("an order without a status")
    tracking = list(_named(order, "TrackingNumber")) or list(_named(order, "TrackingNumbers"))
    return OrderStatus(
        order_number=number,
        order_id=order_id,
        status=status,
        ship_date=read_date(first_text(order, "ShipDate")),
        carrier=first_text(order, "Carrier"),
        tracking_numbers=tracking_numbers("\n".join(element.itertext()) for element in tracking),
        raw=etree.tostring(order, encoding="unicode", with_tail=False),
    )


def unreadable_answer(what: str, exchange: Exchange | None = None) -> UnexpectedAnswer:
    return unreadable(WAREHOUSE, what, exchange=exchange)


def _add(parent: _Element, name: str, text: str) -> None:
    if not text:
        return
    element = etree.SubElement(parent, name)
    try:
        element.text = text
    except ValueError:
        element.text = xml_text(text)[0]


def _has(root: _Element, name: str) -> bool:
    return next(_named(root, name), None) is not None


def _named(root: _Element, name: str) -> Iterator[_Element]:
    """Yield the elements below ``root`` with that local name, in document order."""
    return root.iterdescendants(f"{{*}}{name}")


def _text(element: _Element) -> str:
    """Return all text inside an element on one line."""
    if not len(element):
        return " ".join((element.text or "").split())
    return " ".join(" ".join(element.itertext()).split())
