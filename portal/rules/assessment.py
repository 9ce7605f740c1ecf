"""Decide whether an order can be sent: its holds, its SKUs and its carrier service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from portal.clients.cancellation import speaks_of_cancellation
from portal.rules import sku as skus
from portal.rules.address import address_holds, carrier_holds
from portal.rules.countries import country
from portal.rules.hold_reasons import Hold, HoldReason, value
from portal.rules.options import find_option
from portal.rules.order_edits import NO_EDITS, editable_ids
from portal.rules.pickup import is_pickup, is_pickup_discount, rate_key, rate_name
from portal.rules.quantities import contradiction, left_to_ship, quantity_holds
from portal.rules.shipping import ShippingCode, shipping_code
from portal.rules.sku import SkuProblem, SkuProblemCode
from portal.rules.time_zones import zone_named
from portal.rules.visible_text import clean, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.clients.bigcartel import BigCartelOrder, LineItem, Option
    from portal.clients.bigcartel_types import BigCartelAddress
    from portal.rules.order_edits import ItemEdit, OrderEdits

Source = Literal["description", "override", "order", "none"]
RateMark = Literal["always", "never"]


@dataclass(frozen=True, slots=True)
class Line:
    """One item of an order with the SKU to send for it, "" if it has none.

    ``quantity`` is what is left to ship; 0 when unreadable. ``left_out`` means the merchant ships the item without the
    warehouse. ``problems`` are sentences, warnings included. The ``source`` "order" is a SKU set for one order alone.
    """

    item_id: str
    name: str
    option: str
    product_id: str | None
    sku: str
    quantity: int
    source: Source
    left_out: bool
    problems: tuple[str, ...]
    option_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What we know about a product.

    ``override`` replaces the text after ``SKU:``. ``option_overrides`` are final SKUs by option id and take precedence.
    """

    description: str
    options: tuple[Option, ...]
    gone: bool
    override: str = ""
    option_overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """The merchant's and the store's settings.

    ``starts_at`` None means all orders; it is shown in ``time_zone``. While ``live`` is False, nothing is sent.
    ``rates`` are the shipping rates that the merchant marked, by portal.rules.pickup.rate_key.
    """

    domestic_service: str
    international_service: str
    territories_domestic: bool = False
    submit_unpaid: bool = False
    ignore_items_without_sku: bool = False
    paused: bool = False
    test_mode: bool = False
    starts_at: datetime | None = None
    time_zone: str = ""
    live: bool = True
    rates: Mapping[str, RateMark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result: the order may be sent if ``holds`` is empty. ``service`` is a service code, "" for none.

    ``address`` is the one that a person entered instead of Big Cartel's, None to send Big Cartel's.
    """

    holds: tuple[Hold, ...]
    lines: tuple[Line, ...]
    shipping_code: ShippingCode | None
    service: str
    address: BigCartelAddress | None = None


# Payment statuses seen in Big Cartel's orders API, in lower case.
_AWAITING_PAYMENT = frozenset({"unpaid", "pending"})
_NOT_PAID = _AWAITING_PAYMENT | {"failed", "invalid"}


def assess(
    order: BigCartelOrder,
    products: Mapping[str, ProductFacts],
    rules: Rules,
    *,
    is_listed: bool = True,
    edits: OrderEdits = NO_EDITS,
) -> Assessment:
    """Assess an order against the merchant's products (by product id) and settings. Never raises.

    Unless it ``is_listed``, Big Cartel's list of unshipped orders doesn't name it. ``edits`` count instead of what Big
    Cartel shows.
    """
    holds = [*_merchant_holds(order, rules), *_status_holds(order, rules)]
    if edits.held_by:
        holds.append(Hold(HoldReason.HELD_BY_HAND, edits.held_by))
    entered = edits.address.address if edits.address is not None and edits.address.is_of(order.address) else None
    if edits.address is not None and entered is None:
        holds.append(Hold(HoldReason.EDIT_OUTDATED, "the address"))
    address = entered or order.address
    holds += address_holds(address)
    if not is_listed:
        holds.append(Hold(HoldReason.NOT_LISTED))
    ids = editable_ids(order) if edits.items else ()
    lines: list[Line] = []
    for item in order.items:
        edit = edits.items.get(item.id) if item.id in ids else None
        line, line_holds = _assess_item(item, products, rules, edit)
        lines.append(line)
        holds += line_holds
    nothing_left = all(line.left_out or left_to_ship(item) == 0 for line, item in zip(lines, order.items, strict=True))
    if nothing_left and "items" not in order.unreadable and all(item.quantity for item in order.items):
        holds.append(Hold(HoldReason.NOTHING_TO_SHIP))
    code, service = None, ""
    if country(address.country_code):
        code = shipping_code(address.country_code, territories_domestic=rules.territories_domestic)
        domestic = code is ShippingCode.DOMESTIC_DEFAULT
        service = clean(rules.domestic_service if domestic else rules.international_service)
        if edits.service is not None:
            if edits.service.shipping_code == code:
                service = edits.service.code
            else:
                holds.append(Hold(HoldReason.EDIT_OUTDATED, "the carrier service"))
        if not service:
            holds.append(Hold(HoldReason.NO_MAPPING, code.value))
        holds += carrier_holds(address, service)
    holds += (Hold(HoldReason.UNKNOWN_VALUE, shorten(clean(name))) for name in order.unreadable)
    return Assessment(tuple(dict.fromkeys(holds)), tuple(lines), code, service, entered)


def _merchant_holds(order: BigCartelOrder, rules: Rules) -> Iterator[Hold]:
    if not rules.live:
        yield Hold(HoldReason.NOT_LIVE)
    elif rules.starts_at is not None:
        start = _aware(rules.starts_at)
        if order.placed_at is None:
            if "placed_at" not in order.unreadable:
                yield Hold(HoldReason.UNKNOWN_VALUE, "a missing order date")
        elif _aware(order.placed_at) < start:
            yield Hold(HoldReason.BEFORE_START, f"placed before {zone_named(rules.time_zone).in_words(start)}")
    if rules.paused:
        yield Hold(HoldReason.PAUSED)
    if rules.test_mode:
        yield Hold(HoldReason.TEST_MODE)


def _status_holds(order: BigCartelOrder, rules: Rules) -> Iterator[Hold]:
    payment, shipping = order.payment_status, order.shipping_status
    canceled = [status for status in (payment, shipping) if speaks_of_cancellation(status)]
    if signs := order.cancellations or tuple(f"Big Cartel shows “{shorten(status)}”" for status in canceled):
        yield Hold(HoldReason.CANCELED_OR_REFUNDED, clean("; ".join(signs)))
    if payment in _NOT_PAID:
        if not (rules.submit_unpaid and payment in _AWAITING_PAYMENT):
            yield Hold(HoldReason.PAYMENT_NOT_COMPLETED, f"Big Cartel shows “{payment}”")
    elif payment != "completed" and "payment_status" not in order.unreadable and payment not in canceled:
        yield Hold(HoldReason.UNKNOWN_VALUE, value("payment status", payment))
    is_known = shipping == "unshipped" or "partial" in shipping or shipping in canceled
    if not is_known and "shipping_status" not in order.unreadable:
        yield Hold(HoldReason.UNKNOWN_VALUE, value("shipping status", shipping))
    yield from quantity_holds(order)
    yield from _rate_holds(order, rules)


def _rate_holds(order: BigCartelOrder, rules: Rules) -> Iterator[Hold]:
    """Yield the holds that come from the shipping rate's name: it sounds like a pickup, or the merchant marked it."""
    found = [(label, is_pickup) for label in order.labels] + [(label, is_pickup_discount) for label in order.discounts]
    for label, guess in found:
        name = rate_name(label)
        match rules.rates.get(rate_key(name)):
            case "never":
                yield Hold(HoldReason.RATE_NEVER_SENT, f"“{shorten(name)}”")
            case None if guess(label):
                yield Hold(HoldReason.LOCAL_PICKUP, f"“{shorten(clean(label))}”")
            case _:
                pass


def _assess_item(
    item: LineItem, products: Mapping[str, ProductFacts], rules: Rules, edit: ItemEdit | None
) -> tuple[Line, tuple[Hold, ...]]:
    facts = products.get(item.product_id) if item.product_id is not None else None
    chosen = find_option(item.option_id, item.option_name, facts.options) if facts is not None else None
    name = clean(item.product_name) or "an item with no name"
    option = skus.option_text(chosen.name if chosen else item.option_name)
    called = shorten(f"{name} ({option})" if option else name, 80)
    sku, source, problems = ("", "none", ()) if facts is None else _item_sku(item, facts, chosen)
    holds: list[Hold] = []
    if edit is not None and not edit.is_of(item):
        holds.append(Hold(HoldReason.EDIT_OUTDATED, called))
        edit = None
    if edit is not None and edit.sku:
        (sku, problems), source = skus.sku_by_hand(edit.sku, None, has_options=False), "order"
    left_out = rules.ignore_items_without_sku and any(one.code is SkuProblemCode.NO_MARKER for one in problems)
    left_out = left_out or (edit is not None and edit.is_not_shipped)
    if item.quantity is None:
        holds.append(Hold(HoldReason.UNKNOWN_VALUE, f"the quantity of {called}"))
    if numbers := contradiction(item):
        holds.append(Hold(HoldReason.QUANTITIES_DISAGREE, f"{called}: {numbers}"))
    if left_to_ship(item) > 0 or item.quantity is None:
        if source == "order":
            holds += _sku_holds(called, problems)
        elif item.product_id is not None and facts is None:
            holds.append(Hold(HoldReason.UNKNOWN_VALUE, f"the product {called}, which hasn't been synced yet"))
        elif facts is None or (facts.gone and source != "override"):
            holds.append(Hold(HoldReason.PRODUCT_GONE, called))
        elif chosen is None and source != "override":
            holds.append(Hold(HoldReason.OPTION_GONE, called))
        else:
            holds += _sku_holds(called, problems)
    line = Line(
        item_id=item.id,
        name=name,
        option=option,
        product_id=item.product_id,
        sku=sku,
        quantity=left_to_ship(item),
        source=source,
        left_out=left_out,
        problems=tuple(one.sentence for one in problems),
        option_id=item.option_id,
    )
    return line, () if left_out else tuple(holds)


def _sku_holds(called: str, problems: tuple[SkuProblem, ...]) -> Iterator[Hold]:
    return (Hold(HoldReason.NO_SKU, f"{called}.\n{one.sentence}") for one in problems if one.stops)


def _item_sku(item: LineItem, facts: ProductFacts, chosen: Option | None) -> tuple[str, Source, tuple[SkuProblem, ...]]:
    """Return the SKU, its source and its problems. Only an override gives a deleted product or option a SKU."""
    by_option = facts.option_overrides.get(item.option_id or "", "")
    if not clean(by_option) and chosen is not None:
        # The item may name the option without its id.
        by_option = facts.option_overrides.get(chosen.id, "")
    if clean(by_option):
        sku, problems = skus.sku_by_hand(by_option, None, has_options=False)
        return sku, "override", problems
    if chosen is None:
        # What matters is only whether the product has a SKU at all: without one, the merchant may leave the item out.
        return "", "none", skus.read_sku(facts.description)[1] if not facts.gone else ()
    has_options = any(skus.option_text(option.name) for option in facts.options)
    if clean(facts.override):
        sku, problems = skus.sku_by_hand(facts.override, chosen.name, has_options=has_options)
        return sku, "override", problems
    if facts.gone:
        return "", "none", ()
    sku, problems = skus.sku_for(facts.description, chosen.name, has_options=has_options)
    return sku, "description" if sku else "none", problems


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
