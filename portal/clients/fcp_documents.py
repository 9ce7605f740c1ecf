"""The FCP's XML written and read; nothing here calls anybody.

Only the requests for orders and stock are documented. The answers, and the whole status call, are a working
contract (ASSUMED): elements are matched by local name in any namespace, and none is required without need.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree

from portal.clients.errors import UnexpectedAnswer
from portal.clients.fcp_types import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from portal.clients.errors import Exchange
    from portal.clients.fcp_types import Credentials, OrderRequest

FCP = "The FCP"
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
NOT_THERE = re.compile(
    r"not found|unknown|no such|does not exist|not exist|invalid order|\bno (?:matching )?orders?\b", re.IGNORECASE
)


def xml_text(text: str) -> tuple[str, int]:
    """``text`` without the characters that XML 1.0 cannot carry, and how many were dropped."""
    return _NOT_XML.subn("", text)


def submission_xml(order: OrderRequest, credentials: Credentials, *, test: bool = False) -> bytes:
    """The body of one submission; ``test`` asks the FCP to check the order without taking it."""
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
    """The body that asks for the status of several orders (ASSUMED)."""
    root = etree.Element("OrderStatusRequest")
    _add(root, "MerchantId", credentials.merchant_id)
    _add(root, "MerchantToken", credentials.merchant_token)
    orders = etree.SubElement(root, "Orders")
    for number in numbers:
        _add(etree.SubElement(orders, "Order"), "OrderNumber", number)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def inventory_xml(skus: Iterable[str], credentials: Credentials) -> bytes:
    """The body that asks for the stock of some SKUs (documented; it carries no MerchantName)."""
    root = etree.Element("InventoryRequest")
    _add(root, "MerchantId", credentials.merchant_id)
    _add(root, "MerchantToken", credentials.merchant_token)
    items = etree.SubElement(root, "Items")
    for sku in skus:
        _add(etree.SubElement(items, "Item"), "Sku", sku)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def parse_answer(body: bytes) -> _Element:
    """The root of an answer. Raises UnexpectedAnswer when it is no XML, has a DOCTYPE or is over 1 MiB."""
    if len(body) > MAX_XML_BYTES:
        raise unexpected("an answer longer than 1 MiB")
    if b"<!DOCTYPE" in body:
        raise unexpected("an answer with a DOCTYPE")
    try:
        root = etree.fromstring(body.lstrip(), _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise unexpected("an answer that is not XML" if body.strip() else "an empty answer") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise unexpected("an answer with a DOCTYPE")
    return root


def verdict(root: _Element, *, top_only: bool = False) -> bool | None:
    """True for Status Success, False for a failure, None when the answer says neither or both.

    A success beside the text of an error counts as neither: nothing is believed that contradicts itself.
    With ``top_only`` what stands deeper in the answer, of one order among several, is not looked at.
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
    """Whether a status answer, whose verdict was no failure, is one: a success, or at least the list itself.

    A success for some other call proves nothing about orders that it does not list.
    """
    if verdict(root, top_only=True):
        return local_name(root) == "OrderStatusResponse" or _has(root, "Orders")
    named = local_name(root) == "OrderStatusResponse" and _has(root, "Orders")
    return named and next(root.iterchildren("{*}Status"), None) is None


def failure_words(root: _Element) -> str:
    """Every text of a failure, joined by "; ": one may stand in Error, Description, Message and more."""
    texts = [_text(element) for name in _FAILURE_TEXTS for element in _named(root, name)]
    if not any(texts):
        texts = [_text(element) for element in _named(root, "Errors")]
    return "; ".join(dict.fromkeys(text for text in texts if text))


def error_words(body: bytes) -> str:
    """The texts of a failure in any body, "" when it has none or contradicts itself. Never raises."""
    try:
        root = parse_answer(body)
    except UnexpectedAnswer:
        return ""
    return failure_words(root) if verdict(root) is False else ""


def first_text(root: _Element, name: str) -> str:
    """The text of the first element of that name, trimmed; "" without one."""
    return next((_text(element) for element in _named(root, name)), "")


def local_name(root: _Element) -> str:
    """The root's name without its namespace."""
    return etree.QName(root).localname


def read_statuses(root: _Element, asked: Sequence[str]) -> dict[str, OrderStatus]:
    """The orders of a status answer that were asked for; those that the FCP does not know are left out.

    Raises UnexpectedAnswer for an order that is listed with neither a status nor the FCP's own id: that
    proves nothing.
    """
    wanted = frozenset(asked)
    found: dict[str, OrderStatus] = {}
    for order in _named(root, "Order"):
        number = first_text(order, "OrderNumber")
        if number not in wanted:
            continue
        order_id, status = first_text(order, "OrderId"), first_text(order, "OrderStatus")
        if not order_id and (NOT_THERE.search(status) or failure_words(order)):
            continue
        if not order_id and not status:
            raise unexpected("an order without its status")
        found[number] = OrderStatus(
            order_number=number,
            order_id=order_id,
            status=status,
            ship_date=_date(first_text(order, "ShipDate")),
            carrier=first_text(order, "Carrier"),
            tracking_numbers=tuple(dict.fromkeys(_tracking_numbers(order))),
            raw=etree.tostring(order, encoding="unicode", with_tail=False),
        )
    return found


def unexpected(what: str, exchange: Exchange | None = None) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"{FCP} sent {what}, so we cannot tell whether the request took effect.",
        service=FCP,
        exchange=exchange,
    )


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
    """Elements below ``root`` of that local name, in document order."""
    return root.iterdescendants(f"{{*}}{name}")


def _text(element: _Element) -> str:
    """All text inside an element, on one line."""
    if not len(element):
        return " ".join((element.text or "").split())
    return " ".join(" ".join(element.itertext()).split())


def _tracking_numbers(order: _Element) -> Iterator[str]:
    """One element each, or several in one element with ; or , between them."""
    elements = list(_named(order, "TrackingNumber")) or list(_named(order, "TrackingNumbers"))
    for element in elements:
        for number in re.split(r"[;,\n]", "".join(element.itertext())):
            if number.strip():
                yield number.strip()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
