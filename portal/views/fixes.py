"""Links to the page where the cause of a hold or rejection is fixed."""

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
    """Return the link for an order of the current merchant, given by its number and store."""
    match page:
        case FixPage.PRODUCTS:
            return FixLink(url_for("merchant.products.products", store=store_id), "Fix SKU")
        case FixPage.SHIPPING:
            return FixLink(url_for("merchant.shipping.shipping"), "Choose service")
        case FixPage.SETTINGS:
            return FixLink(url_for("merchant.settings.settings"), "Change settings")
        case FixPage.GO_LIVE:
            return FixLink(url_for("merchant.golive.golive", store_id=store_id), "Choose orders to send")
        case FixPage.BIG_CARTEL:
            return FixLink(order_in_big_cartel(number), "Open order in Big Cartel")


def hold_link(reason: HoldReason, *, store_id: int, number: str) -> FixLink:
    return fix_link(reason.row.fixed_on, store_id=store_id, number=number)
