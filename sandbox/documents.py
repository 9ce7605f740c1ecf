"""Create, edit, ship and cancel orders as documents of Big Cartel's API."""

from __future__ import annotations

import copy
import random
import string
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox import products
from sandbox.parts import USD, check_fields, country_document, country_name, money
from sandbox.world import Account, Document, InvalidRequestError, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

# Field of an order spec -> attribute of the API document.
ADDRESS = {
    "first_name": "customer_first_name",
    "last_name": "customer_last_name",
    "email": "customer_email",
    "phone": "customer_phone_number",
    "note": "customer_note",
    "address_1": "shipping_address_1",
    "address_2": "shipping_address_2",
    "city": "shipping_city",
    "state": "shipping_state",
    "zip": "shipping_zip",
}
PLAIN_BUYER = {
    "first_name": "Ada",
    "last_name": "Miller",
    "email": "ada.miller@example.com",
    "phone": None,
    "note": "",
    "address_1": "100 Example Street",
    "address_2": None,
    "city": "Chicago",
    "state": "IL",
    "zip": "60601",
}
_ORDER_FIELDS = {
    *ADDRESS,
    *("number", "country", "items", "payment_status", "shipping_status", "labels", "label_type"),
    *("created_at", "updated_at", "completed_at", "attributes", "without", "document"),
}


def new_number(account: Account) -> str:
    while True:
        letters = "".join(random.choices(string.ascii_uppercase, k=4))
        number = f"{letters}-{random.randrange(1_000_000):06}"
        if number not in account.orders:
            return number


def order(account: Account, number: str) -> Document:
    try:
        return account.orders[number]
    except KeyError:
        raise InvalidRequestError(f"{account.name} has no order {number}.") from None


def place(account: Account, spec: Mapping[str, Any]) -> str:
    """Place an order and return its number. Every field has a default; `items` is one of the first product.

    `{"document": {...}}` places an API document unchanged. `attributes` sets API attributes directly, `without`
    removes API attributes.
    """
    check_fields(spec, _ORDER_FIELDS, "order")
    if "document" in spec:
        document = copy.deepcopy(spec["document"])
        number = str(document["data"]["id"])
        account.orders[number] = document
        return number
    number = str(spec.get("number") or new_number(account))
    if number in account.orders:
        raise InvalidRequestError(f"Order {number} already exists.")
    created = spec.get("created_at") or stamp()
    items = [_line(account, line) for line in spec.get("items", [{}])]
    country = spec.get("country", "US")
    payment = spec.get("payment_status", "completed")
    shipping = spec.get("shipping_status", "unshipped")
    events = []
    if payment == "completed":
        events.append(_event(account, "Payment completed", "payment_status", created))
    if shipping == "shipped":
        events.append(_event(account, "Marked as shipped", "shipping_status", created))
        for line in items:
            _ship_line(line)
    adjustments = [
        {
            "id": account.new_id(),
            "type": spec.get("label_type", "order_adjustments/shipping"),
            "attributes": {"amount": "5.0", "label": label},
        }
        for label in spec.get("labels", [f"Shipping to {country_name(country or '')}"])
    ]
    item_total = sum((Decimal(line["attributes"]["total"]) for line in items), Decimal(0))
    total = item_total + 5 * len(adjustments)
    payments = [_payment(account, total)] if payment == "completed" else []
    buyer = {**PLAIN_BUYER, **{key: spec[key] for key in ADDRESS if key in spec}}
    attributes = {
        "item_count": sum(_whole(line["attributes"]["quantity"]) for line in items),
        "item_total": money(item_total),
        "discount_total": "0.0",
        "shipping_total": money(Decimal(5 * len(adjustments))),
        "tax_total": "0.0",
        "total": money(total),
        "tax_remitted_by_big_cartel": None,
        **{attribute: buyer[key] for key, attribute in ADDRESS.items()},
        "customer_opted_in_to_marketing": False,
        "shipping_country_id": country,
        "shipping_country_name": country_name(country) if country else None,
        "shipping_latitude": None,
        "shipping_longitude": None,
        "shipping_status": shipping,
        "payment_status": payment,
        "created_at": created,
        "updated_at": spec.get("updated_at", created),
        "completed_at": spec.get("completed_at", created if payment == "completed" else None),
        **spec.get("attributes", {}),
    }
    for name in spec.get("without", []):
        attributes.pop(name, None)
    included: list[dict[str, Any]] = [USD]
    if country:
        included.append(country_document(country))
    account.orders[number] = {
        "data": {
            "id": number,
            "type": "orders",
            "attributes": attributes,
            "relationships": {
                "currency": {"data": {"type": "currencies", "id": "USD"}},
                "shipping_country": {"data": {"type": "countries", "id": country} if country else None},
                "events": {"data": _links(events)},
                "warnings": {"data": []},
                "items": {"data": _links(items)},
                "transactions": {"data": _links(payments)},
                "adjustments": {"data": _links(adjustments)},
            },
        },
        "included": [*included, *events, *items, *payments, *adjustments],
    }
    return number


def _line(account: Account, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line item.

    `spec` may have product (an ID; None if deleted since), option (name or ID), quantity, quantity_shipped, name,
    price and attributes.
    """
    check_fields(
        spec,
        {"product", "option", "quantity", "quantity_shipped", "name", "price", "attributes"},
        "line item",
    )
    if not account.products:
        products.put(account, {"name": "Plain Mug", "description": "A plain mug.\n\nSKU:MUG-01", "price": "12"})
    product_id = spec.get("product", next(iter(account.products)))
    found = account.products.get(str(product_id)) if product_id is not None else None
    option = _option(found, spec.get("option"))
    option_name = option["attributes"]["name"] if option else str(spec.get("option") or "")
    price = Decimal(str(spec.get("price") or (option["attributes"]["price"] if option else "20")))
    quantity = spec.get("quantity", 1)
    shipped = spec.get("quantity_shipped", 0)
    return {
        "id": account.new_id(),
        "type": "order_line_items",
        "attributes": {
            "product_name": spec.get("name")
            or (found["data"]["attributes"]["name"] if found else "Discontinued Product"),
            "product_id": None if product_id is None else str(product_id),
            "product_option_name": "" if option_name.lower() == "default" else option_name,
            "quantity": quantity,
            "price": money(price),
            "tax_total": "0.0",
            "total": money(price * _whole(quantity)),
            "quantity_shipped": shipped,
            "quantity_unshipped": max(_whole(quantity) - _whole(shipped), 0),
            "category_names": [],
            "image_url": None,
            **spec.get("attributes", {}),
        },
        "relationships": {
            "product": {
                "data": None if product_id is None else {"type": "products", "id": str(product_id)},
            },
            "product_option": {"data": {"type": "product_options", "id": option["id"]} if option else None},
        },
    }


def _option(found: Document | None, wanted: object) -> dict[str, Any] | None:
    """Return the option with this name or ID, or the first option if `wanted` is None."""
    if found is None:
        return None
    options: list[dict[str, Any]] = found["included"]
    for option in options:
        if wanted in {option["id"], option["attributes"]["name"]}:
            return option
    return options[0] if wanted is None and options else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _payment(account: Account, total: Decimal) -> dict[str, Any]:
    payment_id = account.new_id()
    return {
        "id": payment_id,
        "type": "order_transactions/payments",
        "attributes": {
            "amount": money(total),
            "label": "Visa ending in 4242",
            "processor": "stripe",
            "processor_id": f"ch_sandbox_{payment_id}",
            "processor_url": f"https://payments.example.com/ch_sandbox_{payment_id}",
        },
        "relationships": {"currency": {"data": {"type": "currencies", "id": "USD"}}},
    }


def _event(account: Account, message: str, identifier: str, moment: str) -> dict[str, Any]:
    return {
        "id": account.new_id(),
        "type": "order_events",
        "attributes": {"created_at": moment, "message": message, "identifier": identifier},
    }


def _links(included: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"type": one["type"], "id": one["id"]} for one in included]


def _ship_line(line: dict[str, Any], *, back: bool = False) -> None:
    """Set the line to shipped, or with ``back`` to unshipped."""
    attributes = line["attributes"]
    if "quantity_shipped" in attributes:
        shipped, unshipped = (0, attributes["quantity"]) if back else (attributes["quantity"], 0)
        attributes["quantity_shipped"], attributes["quantity_unshipped"] = shipped, unshipped


def edit_order(account: Account, number: str, attributes: Mapping[str, Any], *, touch: bool = True) -> Document:
    """Set attributes of an order; a new shipping or payment status adds an event.

    `touch=False` keeps updated_at. Raises InvalidRequestError when there is no such order.
    """
    document = order(account, number)
    data, moment = document["data"], stamp()
    current = data["attributes"]
    messages = {
        ("shipping_status", "shipped"): "Marked as shipped",
        ("shipping_status", "unshipped"): "Marked as unshipped",
        ("payment_status", "completed"): "Payment completed",
    }
    for name in ("shipping_status", "payment_status"):
        if name in attributes and attributes[name] != current.get(name):
            message = messages.get((name, attributes[name]), f"{name.replace('_', ' ')}: {attributes[name]}")
            event = _event(account, message.capitalize(), name, moment)
            document["included"].append(event)
            data["relationships"].setdefault("events", {"data": []})["data"].extend(_links([event]))
    back = (current.get("shipping_status"), attributes.get("shipping_status")) == ("shipped", "unshipped")
    if back or attributes.get("shipping_status") == "shipped":
        for one in document["included"]:
            if one["type"] == "order_line_items":
                _ship_line(one, back=back)
    current.update(attributes)
    if "shipping_country_id" in attributes:
        _set_country(document, attributes["shipping_country_id"])
    if touch and "updated_at" not in attributes:
        current["updated_at"] = moment
    return document


def _set_country(document: Document, code: str) -> None:
    document["data"]["attributes"]["shipping_country_name"] = country_name(code)
    document["data"]["relationships"]["shipping_country"] = {"data": {"type": "countries", "id": code}}
    document["included"] = [one for one in document["included"] if one["type"] != "countries"]
    document["included"].append(country_document(code))


def cancel(account: Account, number: str, *, gone: bool = False, unlisted: bool = False) -> None:
    """Cancel an order. Raises InvalidRequestError when there is no such order.

    ASSUMED: the API documents no cancellation. The order gets the shipping status `cancelled`, or it no longer exists
    (`gone`), or it only leaves the list of unshipped orders (`unlisted`).
    """
    if unlisted:
        edit_order(account, number, {})
        account.unlisted.append(number)
    elif gone:
        order(account, number)
        del account.orders[number]
    else:
        edit_order(account, number, {"shipping_status": "cancelled"})
