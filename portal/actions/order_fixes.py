"""Fix one order here: its SKUs, address, carrier service, and what the warehouse ships. Big Cartel keeps its own.

A fix is saved only while the order hasn't been sent and isn't being sent. It is saved together with a new assessment,
whose time keeps a worker from claiming the order as it was before (portal.fulfillment.submit.claim).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.actions.orders import Result
from portal.actions.overrides import of_product, set_skus
from portal.clients.bigcartel import Option, read_stored
from portal.fulfillment import search_rows
from portal.fulfillment.order_columns import assessed_columns, ready_columns
from portal.fulfillment.order_edits import stored_address, with_item
from portal.fulfillment.rulebook import assess_alone
from portal.models import OrderState
from portal.models.audit import record
from portal.models.states import OrderChange, lock, move, rewrite
from portal.models.stored import StoredAddressEdit, StoredOwnHold, StoredServiceEdit
from portal.rules.options import find_option
from portal.rules.sku import option_text
from portal.rules.sku_by_hand import WHOLE
from portal.wording import order_fixes as wording
from portal.wording.actions import just_changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.bigcartel_types import BigCartelAddress, LineItem
    from portal.models import Order, Product, StoredEdits
    from portal.models.states import OrderColumns


def set_sku(
    session: Session, order: Order, item_id: str, sku: str, *, actor: str, reason: str, now: datetime
) -> Result:
    """Set the SKU of an item in this order alone. Commits."""

    def change(edits: StoredEdits) -> None:
        with_item(edits, read_stored(order.document), item_id, sku=sku)

    detail = wording.item_and(order, item_id, sku)
    return save(session, order, change, wording.SKU_SET, detail=detail, actor=actor, reason=reason, now=now)


def use_big_cartels_item(
    session: Session, order: Order, item_id: str, *, actor: str, reason: str, now: datetime
) -> Result:
    """Take back what was changed about an item. Commits."""

    def change(edits: StoredEdits) -> None:
        edits.get("items", {}).pop(item_id, None)

    detail = wording.item_and(order, item_id)
    return save(session, order, change, wording.ITEM_TAKEN_BACK, detail=detail, actor=actor, reason=reason, now=now)


def set_product_sku(
    session: Session,
    order: Order,
    product: Product,
    item_id: str,
    sku: str,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> Result:
    """Set the SKU of an item's product, or of its option, for all orders. One set for this order ends. Commits.

    The product's other options don't change.
    """
    if why := wording.why_not(order):
        return Result(order, done=False, sentence=wording.cannot_be_changed(order.number, why))
    item = next(item for item in read_stored(order.document).items if item.id == item_id)
    option_id = _option_id(session, product, item)
    set_skus(session, product, {option_id: sku}, actor=actor, reason=reason, now=now)

    def change(edits: StoredEdits) -> None:
        with_item(edits, read_stored(order.document), item_id, sku="")

    detail = wording.item_and(order, item_id, sku)
    action = wording.SKU_SET_FOR_PRODUCT
    return save(session, order, change, action, detail=detail, actor=actor, reason=reason, now=now)


def _option_id(session: Session, product: Product, item: LineItem) -> str:
    """Return what the SKU is set for: the item's option, or the whole product if it has no options."""
    options = [Option(option["id"], option["name"]) for option in product.options]
    has_options = any(option_text(option.name) for option in options)
    chosen = find_option(item.option_id, item.option_name, options)
    found = (chosen.id if chosen is not None else "") or item.option_id or WHOLE
    # One that was set for the only option wins over one for the product.
    return found if has_options or found in of_product(session, product) or chosen is None else WHOLE


def ship_item(
    session: Session, order: Order, item_id: str, *, by_warehouse: bool, actor: str, reason: str, now: datetime
) -> Result:
    """Say whether the warehouse ships an item of this order. Commits."""

    def change(edits: StoredEdits) -> None:
        with_item(edits, read_stored(order.document), item_id, is_not_shipped=not by_warehouse)

    action = wording.SHIPPED_AFTER_ALL if by_warehouse else wording.NOT_SHIPPED
    detail = wording.item_and(order, item_id)
    return save(session, order, change, action, detail=detail, actor=actor, reason=reason, now=now)


def correct_address(
    session: Session,
    order: Order,
    address: BigCartelAddress,
    *,
    instead_of: BigCartelAddress,
    actor: str,
    reason: str,
    now: datetime,
) -> Result:
    """Send the order to this address ``instead_of`` the one that Big Cartel showed to the person. Commits.

    If Big Cartel shows another one by now, the order goes on hold until somebody has checked that.
    """

    def change(edits: StoredEdits) -> None:
        edits["address"] = StoredAddressEdit(address=stored_address(address), instead_of=stored_address(instead_of))

    return save(session, order, change, wording.ADDRESS_CORRECTED, actor=actor, reason=reason, now=now)


def use_big_cartels_address(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> Result:
    """Take back the corrected address. Commits."""

    def change(edits: StoredEdits) -> None:
        edits.pop("address", None)

    return save(session, order, change, wording.ADDRESS_TAKEN_BACK, actor=actor, reason=reason, now=now)


def choose_service(
    session: Session, order: Order, code: str, *, name: str = "", actor: str, reason: str, now: datetime
) -> Result:
    """Send this order with the service of this code, "" for the one chosen under Shipping. Commits."""

    def change(edits: StoredEdits) -> None:
        edits.pop("service", None)
        if code:
            # What counts is where the order goes with its other edits.
            edits["service"] = StoredServiceEdit(code=code, shipping_code=_shipping_code(session, order, edits))

    action = wording.SERVICE_CHANGED if code else wording.SERVICE_TAKEN_BACK
    return save(session, order, change, action, detail=name or code, actor=actor, reason=reason, now=now)


def hold(session: Session, order: Order, note: str, *, actor: str, reason: str, now: datetime) -> Result:
    """Put the order on hold until a person ends it. The note is shown meanwhile. Commits."""

    def change(edits: StoredEdits) -> None:
        edits["hold"] = StoredOwnHold(by=actor, at=now.isoformat(), note=note)

    return save(session, order, change, wording.PUT_ON_HOLD, actor=actor, reason=reason, now=now)


def end_hold(session: Session, order: Order, *, actor: str, reason: str, now: datetime) -> Result:
    """End the hold that a person put on the order. Commits."""

    def change(edits: StoredEdits) -> None:
        edits.pop("hold", None)

    return save(session, order, change, wording.HOLD_ENDED, actor=actor, reason=reason, now=now)


def save(
    session: Session,
    order: Order,
    change: Callable[[StoredEdits], None],
    action: str,
    *,
    detail: str = "",
    actor: str,
    reason: str,
    now: datetime,
) -> Result:
    """Change the order's edits and assess it again, unless it is being sent or was. Commits.

    An order that was rejected stays so until it is retried.
    """
    lock(session, [order.id])
    session.refresh(order)
    if why := wording.why_not(order):
        session.rollback()
        return Result(order, done=False, sentence=wording.cannot_be_changed(order.number, why))
    edits = _copied(order.edits)
    change(edits)
    order_edits = _or_none(edits)
    assessment = assess_alone(session, order, order_edits)
    columns: OrderColumns = {**assessed_columns(assessment, now), "edits": order_edits}
    from_state, to_state = order.state, order.state
    if from_state is not OrderState.REJECTED:
        to_state = OrderState.HELD if assessment.holds else OrderState.READY
    if to_state is not from_state:
        columns |= ready_columns(now) if to_state is OrderState.READY else {"next_attempt_at": None}
    changed = OrderChange(order.id, columns, reason=action, actor=actor)
    if to_state is from_state:
        saved = rewrite(session, [changed], state=from_state)
    else:
        saved = move(session, [changed], from_state=from_state, to_state=to_state, now=now)
    if not saved:
        session.rollback()
        return Result(order, done=False, sentence=just_changed(order.number))
    search_rows.refresh(session, [order.id])
    reason = " ".join(filter(None, (f"{detail}." if detail and reason else detail, reason)))
    record(session, action, merchant_id=order.merchant_id, subject=order.number, actor=actor, reason=reason, now=now)
    session.commit()
    session.refresh(order)
    return Result(order, done=True)


def _shipping_code(session: Session, order: Order, edits: StoredEdits) -> str:
    code = assess_alone(session, order, edits).shipping_code
    return code.value if code is not None else ""


def _copied(edits: StoredEdits | None) -> StoredEdits:
    copied: StoredEdits = {**edits} if edits else {}
    if "items" in copied:
        copied["items"] = {**copied["items"]}
    return copied


def _or_none(edits: StoredEdits) -> StoredEdits | None:
    if not edits.get("items"):
        edits.pop("items", None)
    return edits or None
