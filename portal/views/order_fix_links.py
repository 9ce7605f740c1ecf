"""The buttons that fix an order, each where its problem is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import url_for

from portal.fulfillment.rulebook import stored_hold
from portal.models import OrderState
from portal.reports.order_fixes import ABOUT_A_SKU
from portal.rules.hold_reasons import FixPage, HoldReason
from portal.wording.rejections import meaning_of

if TYPE_CHECKING:
    from portal.models import Order, StoredHold, StoredLine
    from portal.reports.order_fixes import Fixes

_ABOUT_THE_ADDRESS = frozenset({
    HoldReason.ADDRESS_INCOMPLETE, HoldReason.ADDRESS_DOUBTFUL, HoldReason.CARRIER_CANNOT_DELIVER,
})  # fmt: skip
_ABOUT_THE_SERVICE = frozenset({HoldReason.NO_MAPPING, HoldReason.CARRIER_CANNOT_DELIVER})


class FixButton(NamedTuple):
    """A button that opens a form; ``about`` tells screen readers which of several such buttons it is."""

    address: str
    words: str
    about: str = ""


def of_line(order: Order, fixes: Fixes, line: StoredLine) -> list[FixButton]:
    """Return the buttons beside an item."""
    if not fixes.can_change(line):
        return []
    item = url_for("merchant.orders.fixes.ship_item", number=order.number, item=line["item_id"])
    if fixes.is_not_shipped(line):
        return [FixButton(item, "Ship from the warehouse", line["name"])]
    found = [_sku(order, line), FixButton(item, "Leave out", line["name"])]
    return [*found, _taken_back(order, line)] if line["item_id"] in fixes.edits.items else found


def of_hold(order: Order, fixes: Fixes, stored: StoredHold) -> list[FixButton]:
    """Return the buttons beside one reason why the order is on hold."""
    hold = stored_hold(stored)
    if not fixes.can_be_fixed:
        return []
    found = []
    if hold.reason in ABOUT_A_SKU:
        found += [_sku(order, line) for line in _lines(order, fixes, hold.detail) if not line["sku"]][:1]
    if hold.reason in _ABOUT_THE_ADDRESS:
        found.append(_address(order))
    if hold.reason in _ABOUT_THE_SERVICE:
        found.append(_service(order))
    if hold.reason is HoldReason.HELD_BY_HAND:
        found.append(FixButton(url_for("merchant.orders.fixes.end_hold", number=order.number), "Release hold"))
    if hold.reason is HoldReason.EDIT_OUTDATED:
        found += _outdated(order, fixes, hold.detail)
    return found


def of_rejection(order: Order, fixes: Fixes) -> list[FixButton]:
    """Return the buttons for what the warehouse rejected, as far as its words say it."""
    if order.state is not OrderState.REJECTED or not fixes.can_be_fixed:
        return []
    match meaning_of(order.state_reason).fixed_on:
        case FixPage.PRODUCTS:
            lines = [line for line in order.lines if fixes.can_change(line) and not line["left_out"]]
            named = [line for line in lines if line["sku"] in fixes.unknown_skus]
            return [_sku(order, line) for line in (named or lines[:1])]
        case FixPage.BIG_CARTEL:
            return [_address(order)]
        case FixPage.SHIPPING:
            return [_service(order)]
        case _:
            return []


def _outdated(order: Order, fixes: Fixes, detail: str) -> list[FixButton]:
    if fixes.is_address_outdated and detail == "the address":
        taken_back = url_for("merchant.orders.fixes.use_big_cartels_address", number=order.number)
        return [_address(order), FixButton(taken_back, "Use Big Cartel's address")]
    if detail == "the carrier service":
        return [_service(order)]
    lines = [line for line in _lines(order, fixes, detail) if line["item_id"] in fixes.edits.items][:1]
    return [button for line in lines for button in (_sku(order, line), _taken_back(order, line))]


def _lines(order: Order, fixes: Fixes, detail: str) -> list[StoredLine]:
    """Return the items that a hold's detail names."""
    return [line for line in order.lines if fixes.can_change(line) and detail.startswith(line["name"][:40])]


def _sku(order: Order, line: StoredLine) -> FixButton:
    address = url_for("merchant.orders.fixes.set_sku", number=order.number, item=line["item_id"])
    return FixButton(address, "Set SKU", line["name"])


def _taken_back(order: Order, line: StoredLine) -> FixButton:
    address = url_for("merchant.orders.fixes.use_big_cartels_item", number=order.number, item=line["item_id"])
    return FixButton(address, "Use what Big Cartel shows", line["name"])


def _address(order: Order) -> FixButton:
    return FixButton(url_for("merchant.orders.fixes.correct_address", number=order.number), "Correct address")


def _service(order: Order) -> FixButton:
    return FixButton(url_for("merchant.orders.fixes.change_service", number=order.number), "Change service")
