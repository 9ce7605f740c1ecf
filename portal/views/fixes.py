"""Links to the page where the cause of a hold or rejection is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import url_for

from portal.reports.links import order_in_big_cartel
from portal.rules.hold_reasons import FixPage, HeldBy, HoldReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.models import StoredLine
    from portal.rules.hold_reasons import Hold


class FixLink(NamedTuple):
    address: str
    words: str

    @property
    def is_external(self) -> bool:
        return "://" in self.address


def fix_link(page: FixPage, *, store_id: int, number: str, product_id: str | None = None) -> FixLink:
    """Return the link for an order of the current merchant, given by its number and store.

    With ``product_id``, the link for a SKU leads to that product's own page.
    """
    others = {
        FixPage.SHIPPING: FixLink(url_for("merchant.shipping.shipping"), "Choose service"),
        FixPage.RATES: FixLink(url_for("merchant.shipping.rates.rates", store_id=store_id), "Change rates"),
        FixPage.SETTINGS: FixLink(url_for("merchant.settings.settings"), "Change settings"),
        FixPage.GO_LIVE: FixLink(url_for("merchant.golive.golive", store_id=store_id), "Choose orders to send"),
    }
    match page:
        case FixPage.ORDER:
            return FixLink(url_for("merchant.orders.order", number=number), "Open order")
        case FixPage.BIG_CARTEL:
            return FixLink(order_in_big_cartel(number), "Open order in Big Cartel")
        case FixPage.PRODUCTS if product_id is not None:
            return FixLink(url_for("merchant.products.product", store_id=store_id, product_id=product_id), "Fix SKU")
        case FixPage.PRODUCTS:
            return FixLink(url_for("merchant.products.products", store=store_id), "Fix SKU")
        case _:
            return others[page]


def fix_for_all(reason: HoldReason, *, store_id: int) -> FixLink | None:
    """Return the link to the page that ends this hold of every order; None if each order needs its own fix."""
    if reason.row.held_by is not HeldBy.MERCHANT or reason.row.fixed_on in {FixPage.BIG_CARTEL, FixPage.ORDER}:
        return None
    return fix_link(reason.row.fixed_on, store_id=store_id, number="")


def hold_link(hold: Hold, *, store_id: int, number: str, lines: Sequence[StoredLine] = ()) -> FixLink:
    """Return the link for an order's hold. A SKU for an option that is gone is entered on its product's page."""
    product_id = _product_of(hold, lines) if hold.reason is HoldReason.OPTION_GONE else None
    return fix_link(hold.reason.row.fixed_on, store_id=store_id, number=number, product_id=product_id)


def _product_of(hold: Hold, lines: Sequence[StoredLine]) -> str | None:
    """Return the product that the hold is about, or None if several may be."""
    found = {line["product_id"] for line in lines if not line["sku"] and line["name"] in hold.detail}
    return found.pop() if len(found) == 1 else None
