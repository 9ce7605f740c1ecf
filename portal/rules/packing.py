"""Build the FCP request for an assessed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients import fcp
from portal.rules.shipping import us_state_code

if TYPE_CHECKING:
    from portal.clients.bigcartel import BigCartelOrder
    from portal.rules.assessment import Assessment


def pack(order: BigCartelOrder, assessment: Assessment) -> tuple[fcp.OrderRequest, tuple[str, ...]]:
    """Return the request for an order, and a note for each text that lost characters, without the buyer's data.

    Items with the same SKU are merged; items that are left out or have no SKU are omitted. The caller must check
    ``assessment.holds`` before sending.
    """
    place = order.address
    quantities: dict[str, int] = {}
    for line in assessment.lines:
        if line.sku and not line.left_out and line.quantity > 0:
            quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    texts = {
        "country": place.country_code,
        "state": place.state,
        "order number": order.number,
        "shipping method": assessment.service,
        "first name": place.first_name,
        "last name": place.last_name,
        "first line of the address": place.address_1,
        "second line of the address": place.address_2,
        "city": place.city,
        "postal code": place.zip,
        "phone number": place.phone,
        "email address": place.email,
    }
    cleaned = {name: fcp.xml_text(text) for name, text in texts.items()}
    skus = {sku: fcp.xml_text(sku) for sku in quantities}
    notes = [_removed(name, dropped) for name, (_, dropped) in cleaned.items() if dropped]
    notes += [_removed("SKU", dropped) for _, dropped in skus.values() if dropped]
    text = {name: " ".join(words.split()) for name, (words, _) in cleaned.items()}
    request = fcp.OrderRequest(
        order_number=text["order number"],
        shipping_method=text["shipping method"],
        address=fcp.FcpAddress(
            first_name=text["first name"],
            last_name=text["last name"],
            address1=text["first line of the address"],
            address2=text["second line of the address"],
            city=text["city"],
            state=us_state_code(text["state"]) if text["country"] == "US" else text["state"],
            postal_code=text["postal code"],
            country=text["country"],
            phone=text["phone number"],
            email=text["email address"],
        ),
        items=tuple(fcp.FcpItem(" ".join(skus[sku][0].split()), quantity) for sku, quantity in quantities.items()),
    )
    return request, tuple(notes)


def _removed(name: str, count: int) -> str:
    characters, them = ("1 character", "it") if count == 1 else (f"{count} characters", "them")
    return f"We removed {characters} from the {name} because the warehouse's format can't carry {them}."
