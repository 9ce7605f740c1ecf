"""Links to the page on which the cause of a hold or a rejection is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import url_for

from portal.reports.links import order_in_big_cartel
from portal.rules.hold_reasons import FixPage

if TYPE_CHECKING:
    from portal.rules.hold_reasons import HoldReason


class FixLink(NamedTuple):
    address: str
    words: str

    @property
    def is_external(self) -> bool:
        return "://" in self.address


def fix_link(page: FixPage, *, store_id: int, number: str) -> FixLink:
    """The link for an order of the page's merchant, given by its number and its store."""
    match page:
        case FixPage.PRODUCTS:
            return FixLink(url_for("merchant.products.products", store=store_id), "Go to Products")
        case FixPage.SHIPPING:
            return FixLink(url_for("merchant.shipping.shipping"), "Go to Shipping")
        case FixPage.SETTINGS:
            return FixLink(url_for("merchant.settings.settings"), "Go to Settings")
        case FixPage.GO_LIVE:
            return FixLink(url_for("merchant.golive.golive", store_id=store_id), "Go to Go live")
        case FixPage.BIG_CARTEL:
            return FixLink(order_in_big_cartel(number), "Open it in Big Cartel")


def hold_link(reason: HoldReason, *, store_id: int, number: str) -> FixLink:
    return fix_link(reason.row.fixed_on, store_id=store_id, number=number)
