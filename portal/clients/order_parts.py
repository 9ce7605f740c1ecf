"""Cut the document of one order out of an answer: the order with those of the included objects that we need.

An answer includes the objects of all its orders together. Types vary: the sub-kind after the slash may differ between
an order's relationships and the included object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.clients.cancellation import is_payment, may_hold_signs, signs_in_part
from portal.clients.jsonapi import Fields, Included, Key, id_of, mapping, related_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.clients.bigcartel_types import Document

ITEM, ADJUSTMENT = "order_line_item", "order_adjustment"
"""Adjustments are taxes, discounts, and shipping. The sub-kind after the slash varies from answer to answer."""
_NOT_PARTS = frozenset({"country", "currency", "product", "product_option", "account", "customer"})
"""Kinds of included objects that say nothing about a single order."""


def signs_in(included: Included) -> dict[Key, tuple[str, ...]]:
    """Return what parts of orders say about a cancellation or refund. Those that say nothing are left out."""
    may_hold_signs_at_all = may_hold_signs([*included.values()])
    found = {}
    for key, part in included.items():
        kind = key[0]
        if kind in _NOT_PARTS or not (may_hold_signs_at_all or is_payment(kind)):
            continue
        # The labels of items and adjustments are the merchant's own words.
        if signs := signs_in_part(kind, part, has_messages=not kind.startswith((ITEM, ADJUSTMENT))):
            found[key] = signs
    return found


class OrderParts:
    """The objects that an answer includes, for all of its orders."""

    def __init__(self, included: Included) -> None:
        self._included = included
        self._by_family: dict[Key, Key] = {(_family(kind), number): (kind, number) for kind, number in included}
        self._signs = signs_in(included)
        self._signs_by_order: dict[str, list[Key]] = {}
        """Those that speak of a cancellation and name their order themselves."""
        for key in self._signs:
            fields = Fields(included[key], [])
            order = fields.related_id("order") or id_of(fields.attributes.get("order_id"))
            if order is not None:
                self._signs_by_order.setdefault(order, []).append(key)

    def document(self, number: str, entry: Mapping[str, Any]) -> Document:
        """Return the document of an order: its entry, items, adjustments, country, and signs of a cancellation."""
        relationships = mapping(entry.get("relationships"))
        keys = [(ITEM, item) for _, item in related_keys(relationships, "items")[0]]
        named = [(ADJUSTMENT, adjustment) for _, adjustment in related_keys(relationships, "adjustments")[0]]
        keys += (self._by_family[key] for key in named if key in self._by_family)
        for name in relationships if self._signs else ():
            for kind, part in related_keys(relationships, name)[0]:
                key = self._by_family.get((_family(kind), part))
                if key in self._signs:
                    keys.append(key)
        country = mapping(mapping(relationships.get("shipping_country")).get("data"))
        keys += [("country", id_of(country.get("id")) or ""), *self._signs_by_order.get(number, [])]
        own = [self._included[key] for key in dict.fromkeys(keys) if key in self._included]
        return {"data": entry, "included": own}


def _family(kind: str) -> str:
    return kind.partition("/")[0]
