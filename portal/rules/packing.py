"""Turns an assessed order into what the FCP is asked to ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients import fcp
from portal.rules.shipping import us_state_code

if TYPE_CHECKING:
    from portal.clients.bigcartel import BigCartelOrder
    from portal.rules.assessment import Assessment


def pack(order: BigCartelOrder, assessment: Assessment) -> tuple[fcp.OrderRequest, tuple[str, ...]]:
    """The request for an order, and a sentence, without the buyer's data, for each text that lost characters.

    Items with the same SKU become one; items that are left out or have no SKU are not in it. Whether the
    order may be sent at all is for the caller to ask (``assessment.holds``).
    """
    notes: list[str] = []

    def text(value: str, name: str) -> str:
        kept, dropped = fcp.xml_text(value)
        if dropped:
            characters, them = ("1 character was", "it") if dropped == 1 else (f"{dropped} characters were", "them")
            notes.append(f"{characters} left out of the {name}, because the warehouse's format cannot carry {them}.")
        return " ".join(kept.split())

    place = order.address
    country = text(place.country_code, "country")
    state = text(place.state, "state")
    quantities: dict[str, int] = {}
    for line in assessment.lines:
        if line.sku and not line.left_out and line.quantity > 0:
            quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    request = fcp.OrderRequest(
        order_number=text(order.number, "order number"),
        shipping_method=text(assessment.service, "shipping method"),
        address=fcp.FcpAddress(
            first_name=text(place.first_name, "first name"),
            last_name=text(place.last_name, "last name"),
            address1=text(place.address_1, "first line of the address"),
            address2=text(place.address_2, "second line of the address"),
            city=text(place.city, "city"),
            state=us_state_code(state) if country == "US" else state,
            postal_code=text(place.zip, "postal code"),
            country=country,
            phone=text(place.phone, "phone number"),
            email=text(place.email, "e-mail address"),
        ),
        items=tuple(fcp.FcpItem(text(sku, "SKU"), quantity) for sku, quantity in quantities.items()),
    )
    return request, tuple(notes)
