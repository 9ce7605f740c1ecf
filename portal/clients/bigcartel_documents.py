"""Convert Big Cartel's documents to typed values. Nothing here makes a call.

A value of an unknown type counts as missing; an order lists it in ``unreadable``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from portal.clients.bigcartel_types import (
    Account,
    BigCartelAddress,
    BigCartelOrder,
    BigCartelProduct,
    Document,
    LineItem,
    Option,
)
from portal.clients.cancellation import signs_of_cancellation
from portal.clients.jsonapi import (
    Fields,
    Included,
    dumps,
    id_of,
    index,
    loads,
    mapping,
    related_keys,
    unreadable_answer,
)
from portal.clients.order_parts import ADJUSTMENT, OrderParts, signs_in

_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_STANDARD_MEMBERS = frozenset({"id", "type", "attributes", "relationships", "links"})
"""What an object has in JSON:API, except ``meta``."""


def order_documents(page: Mapping[str, Any]) -> list[tuple[str, Document]]:
    """Return each order of a list page as its own document, with only its items, adjustments, and country.

    Of its payments, events, and other parts, those are kept that speak of a cancellation or refund. Entries without an
    id are skipped. Raises UnexpectedAnswer when the page has no list of entries.
    """
    entries = page.get("data")
    if not isinstance(entries, list):
        raise unreadable_answer("an order list without data")
    parts = OrderParts(index(page.get("included")))
    documents = []
    for entry in entries:
        number = id_of(entry.get("id")) if isinstance(entry, Mapping) else None
        if number is not None:
            documents.append((number, parts.document(number, entry)))
    return documents


def as_stored(document: Document) -> str:
    """Return a document as text for the database; equal orders give equal text."""
    return dumps(document)


def read_stored(text: str) -> BigCartelOrder:
    """Return the order in a document that was stored with ``as_stored``."""
    return read_order(loads(text))


def order_document(answer: Mapping[str, Any]) -> Document:
    """Return the document of a single order, reduced like those of a list. Raises UnexpectedAnswer without an id."""
    entry = answer.get("data")
    number = id_of(entry.get("id")) if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or number is None:
        raise unreadable_answer("an order without an ID")
    return OrderParts(index(answer.get("included"))).document(number, entry)


def read_order(document: Document) -> BigCartelOrder:
    """Return the order in a document. Raises UnexpectedAnswer only when it has no usable id.

    ``placed_at`` is when the checkout was completed, or else when the order was created. The country comes from
    ``shipping_country_id`` or, in older answers, from the relationship.
    """
    data = document.get("data")
    number = id_of(data.get("id")) if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or number is None:
        raise unreadable_answer("an order without an ID")
    unreadable: list[str] = []
    fields = Fields(data, unreadable)
    included = index(document.get("included"))
    address = BigCartelAddress(
        first_name=fields.text("customer_first_name"),
        last_name=fields.text("customer_last_name"),
        address_1=fields.text("shipping_address_1"),
        address_2=fields.text("shipping_address_2"),
        city=fields.text("shipping_city"),
        state=fields.text("shipping_state"),
        zip=fields.text("shipping_zip"),
        country_code=_country_code(fields),
        country_name=_country_name(fields, included),
        phone=fields.text("customer_phone_number"),
        email=fields.text("customer_email"),
    )
    completed, created = fields.time("completed_at"), fields.time("created_at")
    return BigCartelOrder(
        number=number,
        payment_status=fields.text("payment_status").strip().lower(),
        shipping_status=fields.text("shipping_status").strip().lower(),
        placed_at=completed or created,
        updated_at=fields.time("updated_at"),
        address=address,
        items=_items(fields, included),
        labels=_labels(included, lambda kind: "tax" not in kind and kind != "discount"),
        discounts=_labels(included, lambda kind: kind == "discount"),
        note=fields.text("customer_note"),
        item_count=fields.whole_number("item_count"),
        cancellations=_cancellations(data, fields, included),
        has_shipments=bool(mapping(fields.relationships.get("shipments")).get("data")),
        unreadable=tuple(dict.fromkeys(unreadable)),
    )


def read_product(data: object, included: object) -> BigCartelProduct:
    """Return a product with those of its options that are included. Raises UnexpectedAnswer without an id."""
    number = id_of(data.get("id")) if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or number is None:
        raise unreadable_answer("a product without an ID")
    return _product(number, data, index(included))


def read_products(page: Mapping[str, Any]) -> tuple[BigCartelProduct, ...]:
    """Return the products of a list page; entries without an id are skipped."""
    entries = page.get("data")
    if not isinstance(entries, list):
        raise unreadable_answer("a product list without data")
    included = index(page.get("included"))
    products = []
    for entry in entries:
        number = id_of(entry.get("id")) if isinstance(entry, Mapping) else None
        if number is not None:
            products.append(_product(number, entry, included))
    return tuple(products)


def read_account(answer: Mapping[str, Any], account_id: str) -> Account:
    """Return the account with that id, from a single object or a list."""
    data = answer.get("data")
    for entry in data if isinstance(data, list) else [data]:
        if isinstance(entry, Mapping) and id_of(entry.get("id")) == account_id:
            fields = Fields(entry, [])
            return Account(account_id, fields.text("store_name"), fields.text("url"), fields.text("time_zone"))
    raise unreadable_answer("not the account we requested")


def _items(fields: Fields, included: Included) -> tuple[LineItem, ...]:
    keys, all_readable = related_keys(fields.relationships, "items")
    if not all_readable:
        fields.mark_unreadable("items")
    items = []
    for key in keys:
        entry = included.get(("order_line_item", key[1]))
        if entry is None:
            fields.mark_unreadable("items")
        else:
            items.append(_item(key[1], entry, fields))
    return tuple(items)


def _item(number: str, entry: Mapping[str, Any], order: Fields) -> LineItem:
    fields = Fields(entry, order.unreadable, "items.")
    quantity = fields.whole_number("quantity")
    if not quantity:
        fields.mark_unreadable("quantity")
    product = fields.related_id("product")
    if product is None:
        given = fields.attributes.get("product_id")
        product = id_of(given)
        if product is None and given is not None:
            fields.mark_unreadable("product_id")
    return LineItem(
        id=number,
        product_id=product,
        product_name=fields.text("product_name"),
        option_id=fields.related_id("product_option"),
        option_name=fields.text("product_option_name"),
        quantity=quantity or None,
        quantity_shipped=fields.whole_number("quantity_shipped"),
        quantity_unshipped=fields.whole_number("quantity_unshipped"),
    )


def _labels(included: Included, is_wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the labels of the adjustments with a wanted sub-kind.

    A shipping rate is in /shipping (older answers) or /base (newer ones).
    """
    labels = []
    for (kind, _), entry in included.items():
        if kind.startswith(ADJUSTMENT) and is_wanted(kind.removeprefix(f"{ADJUSTMENT}/")):
            label = mapping(entry.get("attributes")).get("label")
            if isinstance(label, str) and label.strip():
                labels.append(label)
    return tuple(dict.fromkeys(labels))


def _country_code(fields: Fields) -> str:
    """Return the ISO 3166-1 alpha-2 code in capitals. It decides the carrier, so anything else is never guessed at.

    Invisible characters and spaces around it don't count.
    """
    given = _visible(fields.text("shipping_country_id")) or _visible(fields.related_id("shipping_country") or "")
    code = given.upper()
    if code and not re.fullmatch(r"[A-Z]{2}", code):
        fields.mark_unreadable("shipping_country_id")
        return ""
    return code


def _visible(text: str) -> str:
    """Return the letters, digits, and punctuation: what is left of a code without blanks and invisible characters."""
    if text.isascii() and text.isalnum():
        return text
    return "".join(one for one in text if unicodedata.category(one)[0] in "LNP" and one not in _BLANK_LETTERS)


def _country_name(fields: Fields, included: Included) -> str:
    given = fields.text("shipping_country_name")
    if given:
        return given
    country = mapping(mapping(fields.relationships.get("shipping_country")).get("data"))
    entry = included.get(("country", id_of(country.get("id")) or ""), {})
    name = mapping(entry.get("attributes")).get("name")
    return name if isinstance(name, str) else ""


def _product(number: str, data: Mapping[str, Any], included: Included) -> BigCartelProduct:
    fields = Fields(data, [])
    options = []
    for _, option_id in related_keys(fields.relationships, "options")[0]:
        entry = included.get(("product_option", option_id))
        if entry is not None:
            options.append(Option(option_id, Fields(entry, []).text("name")))
    return BigCartelProduct(
        id=number,
        name=fields.text("name"),
        permalink=fields.text("permalink"),
        status=fields.text("status"),
        description=fields.text("description"),
        url=fields.text("url"),
        options=tuple(options),
    )


def _cancellations(data: Mapping[str, Any], fields: Fields, included: Included) -> tuple[str, ...]:
    others = {name: value for name, value in data.items() if name not in _STANDARD_MEMBERS}
    found = [*signs_of_cancellation(fields.attributes, fields.relationships, others)]
    for signs in signs_in(included).values():
        found += signs
    return tuple(dict.fromkeys(found))
