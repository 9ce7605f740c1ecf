"""What changed between two versions of an order, as far as it matters to the parcel and as people say it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from portal.rules.packing import place_of
from portal.rules.quantities import left_to_ship
from portal.rules.sku import option_text
from portal.rules.visible_text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from portal.clients.bigcartel_types import BigCartelAddress, BigCartelOrder

ORDER_STATUS = "Order status"
CANCELLATION = "Cancellation or refund"
PAYMENT = "Payment"
UNSHIPPED = "unshipped"
SHIPPED = "shipped"
NOT_LISTED = "no longer listed as unshipped"
DELETED = "deleted"
"""What the order's status is called when Big Cartel's list doesn't name it, or when it is gone."""

_ADDRESS = {
    "first_name": "First name",
    "last_name": "Last name",
    "address_1": "Street",
    "address_2": "Second line of the address",
    "city": "City",
    "state": "State",
    "zip": "Postal code",
    "country_code": "Country",
    "phone": "Phone number",
    "email": "Email address",
}


class Difference(NamedTuple):
    """One field that changed. Both values are as the warehouse gets them, or as Big Cartel shows a status."""

    field: str
    before: str
    after: str


class _Line(NamedTuple):
    """One item; ``product`` tells it from others, whatever it is called."""

    product: str
    name: str
    option: str
    quantity: int


def difference(before: BigCartelOrder, after: BigCartelOrder) -> tuple[Difference, ...]:
    """Return what changed, each field once. What the warehouse doesn't get or use isn't compared, nor is any order."""
    found = (*_address(before, after), *_items(before, after), *_rate(before, after), *_statuses(before, after))
    return tuple(_numbered(one for one in found if one.before != one.after))


def merged(changes: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return what several changes, oldest first, come to: a field that changed back is left out."""
    fields: dict[str, Difference] = {}
    for change in changes:
        first = fields.get(change.field, change)
        fields[change.field] = Difference(change.field, first.before, change.after)
    return tuple(one for one in fields.values() if one.before != one.after)


def status_of(order: BigCartelOrder) -> str:
    """Return the order's shipping status, as people read it."""
    return " ".join(clean(one_line(order.shipping_status)).replace("_", " ").split())


def _address(before: BigCartelOrder, after: BigCartelOrder) -> Iterator[Difference]:
    old, new = place_of(before), place_of(after)
    for name, label in _ADDRESS.items():
        values = (getattr(old, name), getattr(new, name))
        if values[0] != values[1]:
            if name == "country_code":
                values = (_country(old), _country(new))
            yield Difference(label, *values)


def _country(place: BigCartelAddress) -> str:
    name = one_line(place.country_name)
    return f"{name} ({place.country_code})" if name else place.country_code


def _items(before: BigCartelOrder, after: BigCartelOrder) -> Iterator[Difference]:
    # Once an order is marked as shipped, nothing of it is left to ship. That isn't a change of its items.
    is_shipped = SHIPPED in {before.shipping_status, after.shipping_status}
    old, new = _lines(before, is_shipped=is_shipped), _lines(after, is_shipped=is_shipped)
    for item_id in [one for one in old if one in new]:
        one, other = old[item_id], new[item_id]
        if (one.product, one.quantity) == (other.product, other.quantity) and one.option != other.option:
            yield Difference(f"Option of {min(one.name, other.name)}", one.option, other.option)
            del old[item_id], new[item_id]
    counts = _counted(old), _counted(new)
    for key in dict.fromkeys([*counts[0], *counts[1]]):
        name = min(line.name for line in (*old.values(), *new.values()) if (line.product, line.option) == key)
        called = f"{name} ({key[1]})" if key[1] else name
        yield Difference(f"Quantity of {called}", str(counts[0][key]), str(counts[1][key]))


def _lines(order: BigCartelOrder, *, is_shipped: bool) -> dict[str, _Line]:
    lines = {}
    for place, item in enumerate(order.items):
        name, option = clean(one_line(item.product_name)) or "an item with no name", option_text(item.option_name)
        quantity = (item.quantity or 0) if is_shipped else left_to_ship(item)
        # Items without an id, or with the same one, are told apart by their place.
        key = item.id if item.id and item.id not in lines else f"{item.id}#{place}"
        lines[key] = _Line(item.product_id or name, name, option, quantity)
    return lines


def _counted(lines: Mapping[str, _Line]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for line in lines.values():
        counts[line.product, line.option] += line.quantity
    return counts


def _rate(before: BigCartelOrder, after: BigCartelOrder) -> Iterator[Difference]:
    old, new = ({clean(one_line(label)) for label in order.labels} for order in (before, after))
    yield Difference("Shipping rate", ", ".join(sorted(old)), ", ".join(sorted(new)))


def _statuses(before: BigCartelOrder, after: BigCartelOrder) -> Iterator[Difference]:
    yield Difference(PAYMENT, *(" ".join(order.payment_status.replace("_", " ").split()) for order in (before, after)))
    yield Difference(ORDER_STATUS, status_of(before), status_of(after))
    yield Difference(CANCELLATION, *("; ".join(sorted(_other_signs(order))) for order in (before, after)))


def _other_signs(order: BigCartelOrder) -> set[str]:
    """Return the signs of a cancellation that the two statuses don't show themselves."""
    return {
        sign for sign in order.cancellations if not sign.startswith(("“payment status” is", "“shipping status” is"))
    }


def _numbered(found: Iterable[Difference]) -> Iterator[Difference]:
    """Number fields with the same name, such as the quantities of two products that are called the same."""
    seen: Counter[str] = Counter()
    for one in found:
        seen[one.field] += 1
        yield one if seen[one.field] == 1 else one._replace(field=f"{one.field} ({seen[one.field]})")
