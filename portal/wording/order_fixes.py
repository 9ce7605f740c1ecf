"""What the audit trail and the pages say when a person fixes one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import OrderState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.models import Order


SKU_SET = "SKU set for this order"
SKU_SET_FOR_PRODUCT = "SKU set for all orders"
ITEM_TAKEN_BACK = "Big Cartel's item used again"
NOT_SHIPPED = "item marked as not shipped by the warehouse"
SHIPPED_AFTER_ALL = "item marked as shipped by the warehouse"
ADDRESS_CORRECTED = "address corrected"
ADDRESS_TAKEN_BACK = "Big Cartel's address used again"
SERVICE_CHANGED = "carrier service changed for this order"
SERVICE_TAKEN_BACK = "carrier service from Shipping used again"
PUT_ON_HOLD = "order put on hold"
HOLD_ENDED = "hold released"
"""What a person did, as the audit trail names it."""

WHY_NOT: Mapping[OrderState, str] = {
    OrderState.SUBMITTING: "We're sending it to the warehouse right now. Wait a minute, then check how it went.",
    OrderState.UNCONFIRMED: "It may already be at the warehouse. Try again once we've confirmed that.",
    OrderState.SUBMITTED: "The warehouse already has it. Change it there.",
    OrderState.SHIPPED: "The warehouse already shipped it.",
    OrderState.COMPLETED: "It's complete.",
    OrderState.CLOSED: "It's closed. Retry it first.",
}


def why_not(order: Order) -> str:
    """Return why the order can't be fixed now, as a sentence, or "" if it can."""
    return WHY_NOT.get(order.state, "")


def cannot_be_changed(number: str, why: str) -> str:
    return f"{number} can't be changed. {why}"


def item_and(order: Order, item_id: str, sku: str = "") -> str:
    """Return the item as the audit trail names it, with its new SKU if there is one."""
    line = next((line for line in order.lines if line["item_id"] == item_id), None)
    name = " / ".join(filter(None, (line["name"], line["option"]))) if line else item_id
    return f"{name}: {sku}" if sku else name


def saved(order: Order, *, is_undone: bool = False) -> str:
    """Return what became of an order that was fixed. What still holds it is on its page."""
    done = "Undone" if is_undone else "Saved"
    match order.state:
        case OrderState.HELD:
            return f"{done}. Order {order.number} is on hold."
        case OrderState.REJECTED:
            return f"{done}. Order {order.number} is still rejected. Retry it to send it."
        case _ if order.is_given_up:
            return f"{done}. Retry order {order.number} to send it."
        case _:
            return f"{done}. We'll send order {order.number} now."


def sent_too(done: int, left: Sequence[str]) -> str:
    """Return how many orders a submission sends; ``left`` are the numbers of those that are to be sent later."""
    sentence = f"Saved. {done} {'order is' if done == 1 else 'orders are'} being sent."
    if left:
        sentence += f" Too many for one go, so these stay as they are: {', '.join(left)}. Send them from here again."
    return sentence
