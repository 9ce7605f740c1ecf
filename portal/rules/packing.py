"""Build the FCP request for an assessed order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portal.clients import fcp
from portal.rules.sent_address import sent_address
from portal.rules.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.clients.bigcartel import BigCartelOrder
    from portal.clients.bigcartel_types import BigCartelAddress
    from portal.rules.assessment import Assessment


_ADDRESS = {
    "country_code": "country",
    "state": "state",
    "first_name": "first name",
    "last_name": "last name",
    "address_1": "first line of the address",
    "address_2": "second line of the address",
    "city": "city",
    "zip": "postal code",
    "phone": "phone number",
    "email": "email address",
}
"""What the notes call the fields of an address."""


def pack(order: BigCartelOrder, assessment: Assessment) -> tuple[fcp.OrderRequest, tuple[str, ...]]:
    """Return the request for an order, and a note for each text that lost characters, without the buyer's data.

    Items with the same SKU are merged; items that are left out or have no SKU are omitted. The caller must check
    ``assessment.holds`` before sending.
    """
    quantities: dict[str, int] = {}
    for line in assessment.lines:
        if line.sku and not line.left_out and line.quantity > 0:
            quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    address = assessment.address or order.address
    fields = _fields(address)
    number, service = fcp.xml_text(order.number), fcp.xml_text(assessment.service)
    skus = {sku: fcp.xml_text(sku) for sku in quantities}
    texts = [("order number", number), ("shipping method", service)]
    texts += [(_ADDRESS[name], field) for name, field in fields.items()]
    texts += [("SKU", sku) for sku in skus.values()]
    notes = [_removed(name, dropped) for name, (_, dropped) in texts if dropped]
    place = _place(address, fields)
    request = fcp.OrderRequest(
        order_number=one_line(number[0]),
        shipping_method=one_line(service[0]),
        address=fcp.FcpAddress(
            first_name=place.first_name,
            last_name=place.last_name,
            address1=place.address_1,
            address2=place.address_2,
            city=place.city,
            state=place.state,
            postal_code=place.zip,
            country=place.country_code,
            phone=place.phone,
            email=place.email,
        ),
        items=tuple(fcp.FcpItem(" ".join(skus[sku][0].split()), quantity) for sku, quantity in quantities.items()),
    )
    return request, tuple(notes)


def place_of(order: BigCartelOrder) -> BigCartelAddress:
    """Return the order's address as the warehouse gets it."""
    return _place(order.address, _fields(order.address))


def _place(address: BigCartelAddress, fields: Mapping[str, tuple[str, int]]) -> BigCartelAddress:
    changed = {name: text for name, (text, dropped) in fields.items() if dropped}
    return sent_address(replace(address, **changed) if changed else address)


def _fields(address: BigCartelAddress) -> dict[str, tuple[str, int]]:
    """Return each field as XML can carry it, with the number of characters that it lost."""
    return {name: fcp.xml_text(getattr(address, name)) for name in _ADDRESS}


def _removed(name: str, count: int) -> str:
    characters, them = ("1 character", "it") if count == 1 else (f"{count} characters", "them")
    return f"We removed {characters} from the {name} because the warehouse's format can't carry {them}."
