"""What can be fixed about one order here, what was, and what the warehouse says about its SKUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import defer

from portal.clients.bigcartel import read_stored
from portal.fulfillment.order_edits import read_edits
from portal.models import Order, OrderState
from portal.reports.order_conditions import has_product
from portal.rules.hold_reasons import FixPage, HoldReason
from portal.rules.order_edits import editable_ids
from portal.rules.rejection_causes import cause_of
from portal.rules.visible_text import visible_text
from portal.wording.order_fixes import why_not
from portal.wording.rejections import meaning_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.clients.bigcartel_types import BigCartelAddress
    from portal.models import Product, StoredLine
    from portal.models.stored import StoredOwnHold
    from portal.rules.order_edits import OrderEdits

MOST_COMPARED = 500
"""Orders on hold or rejected that are compared with one of the same product, newest first."""
EXCERPT = 280
"""Characters of a product's description shown beside a SKU: the SKU is at its end."""
ABOUT_A_SKU = frozenset({HoldReason.NO_SKU, HoldReason.PRODUCT_GONE, HoldReason.OPTION_GONE})


@dataclass(frozen=True, slots=True)
class Fixes:
    """``why_not`` says why the order can't be fixed now, "" if it can. ``items`` are the ids of items that can be.

    ``address`` is the corrected one, and ``is_address_outdated`` says that Big Cartel's has changed since.
    """

    why_not: str
    items: frozenset[str]
    edits: OrderEdits
    own_hold: StoredOwnHold | None
    address: BigCartelAddress | None
    is_address_outdated: bool
    unknown_skus: tuple[str, ...]

    @property
    def can_be_fixed(self) -> bool:
        return not self.why_not

    def can_change(self, line: StoredLine) -> bool:
        return self.can_be_fixed and line["item_id"] in self.items

    def is_not_shipped(self, line: StoredLine) -> bool:
        edit = self.edits.items.get(line["item_id"])
        return line["left_out"] and edit is not None and edit.is_not_shipped

    def warehouse_says(self, line: StoredLine) -> str:
        """Return what the warehouse last said about the item's SKU, as a sentence, "" if nothing."""
        return f"The warehouse doesn't know {line['sku']}." if line["sku"] in self.unknown_skus else ""


def fixes_of(order: Order) -> Fixes:
    if order.purged_at is not None:
        return Fixes("The buyer's data has been deleted.", frozenset(), read_edits(None), None, None, False, ())
    placed, edits = read_stored(order.document), read_edits(order.edits)
    counts = edits.address is not None and (
        order.state not in {OrderState.HELD, OrderState.READY, OrderState.REJECTED}
        or edits.address.is_of(placed.address)
    )
    return Fixes(
        why_not=why_not(order),
        items=editable_ids(placed),
        edits=edits,
        own_hold=order.edits.get("hold") if order.edits else None,
        address=edits.address.address if edits.address is not None and counts else None,
        is_address_outdated=edits.address is not None and not counts,
        unknown_skus=unknown_skus(order),
    )


def unknown_skus(order: Order) -> tuple[str, ...]:
    """Return those of the order's SKUs that the warehouse doesn't know, by its last rejection or dry run."""
    words = order.state_reason if order.state is OrderState.REJECTED else order.dry_run_verdict
    if not words or order.state not in {OrderState.REJECTED, OrderState.HELD, OrderState.READY}:
        return ()
    skus = [line["sku"] for line in order.lines if line["sku"]]
    return cause_of(words, number=order.number, skus=skus).unknown_skus


def excerpt(product: Product) -> tuple[str, str]:
    """Return the end of a product's description as buyers see it, before and from the SKU's marker on."""
    text = visible_text(product.description)
    before, marker, after = text.partition("SKU:")
    if not marker:
        # Its end is where a SKU belongs, and where one in another spelling stands.
        return "", text[-EXCERPT:].strip()
    return before[-EXCERPT:].lstrip(), (marker + after)[:EXCERPT]


def with_same_problem(session: Session, owned: Select[Order], order: Order, line: StoredLine) -> Sequence[Order]:
    """Return the other orders on hold or rejected because of the same SKU of the same product, newest first.

    ``owned`` selects the orders that the viewer may see.
    """
    product_id = line["product_id"]
    if product_id is None:
        return []
    candidates = session.scalars(
        owned.where(
            Order.store_id == order.store_id,
            Order.state.in_([OrderState.HELD, OrderState.REJECTED]),
            Order.id != order.id,
            has_product(product_id),
        )
        .options(defer(Order.document))
        .order_by(Order.id.desc())
        .limit(MOST_COMPARED)
    )
    return [one for one in candidates if _has_same_problem(one, line)]


def with_rejected_service(session: Session, owned: Select[Order], order: Order) -> Sequence[Order]:
    """Return the other orders that the warehouse rejected because of this rejected order's service, newest first."""
    if not _is_service_rejected(order):
        return []
    candidates = session.scalars(
        owned.where(
            Order.state == OrderState.REJECTED,
            Order.service == order.service,
            Order.shipping_code == order.shipping_code,
            Order.id != order.id,
        )
        .options(defer(Order.document))
        .order_by(Order.id.desc())
        .limit(MOST_COMPARED)
    )
    return [one for one in candidates if _is_service_rejected(one)]


def _is_service_rejected(order: Order) -> bool:
    return order.state is OrderState.REJECTED and meaning_of(order.state_reason).fixed_on is FixPage.SHIPPING


def _has_same_problem(order: Order, line: StoredLine) -> bool:
    key = _key(line)
    same = [one for one in order.lines if _key(one) == key and not one["left_out"] and one["source"] != "order"]
    if not same:
        return False
    if order.state is OrderState.HELD:
        return any(hold["reason"] in ABOUT_A_SKU and _is_about(hold["detail"], line) for hold in order.holds)
    unknown = unknown_skus(order)
    return line["sku"] in unknown or (not unknown and meaning_of(order.state_reason).fixed_on is FixPage.PRODUCTS)


def _is_about(detail: str, line: StoredLine) -> bool:
    called = f"{line['name']} ({line['option']})" if line["option"] else line["name"]
    return detail.startswith(called[:40])


def _key(line: StoredLine) -> tuple[str | None, str | None, str, str]:
    return line["product_id"], line.get("option_id"), line["option"], line["sku"]
