"""Why an action on an order is not possible, and what it will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import Order, OrderState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHY_NO_RETRY: Mapping[OrderState, str] = {
    OrderState.SUBMITTING: "We're sending it to the warehouse right now.",
    OrderState.SUBMITTED: "The warehouse already has it.",
    OrderState.SHIPPED: "The warehouse already shipped it.",
    OrderState.COMPLETED: "It's shipped and marked as shipped in Big Cartel.",
}
WHY_NO_CLOSE: Mapping[OrderState, str] = {
    OrderState.SUBMITTING: "We're sending it to the warehouse right now. Try again in a minute.",
    OrderState.UNCONFIRMED: "It may already be at the warehouse. Try again once we've confirmed that.",
    OrderState.SUBMITTED: "The warehouse has it. Cancel it there, and we'll close it here automatically.",
    OrderState.SHIPPED: "The warehouse already shipped it.",
    OrderState.COMPLETED: "It's complete.",
    OrderState.CLOSED: "It's already closed.",
}
TOO_LATE_TO_UNDO: Mapping[OrderState, str] = {
    OrderState.SUBMITTING: "We're sending it to the warehouse right now.",
    OrderState.UNCONFIRMED: "It may already be at the warehouse.",
    OrderState.SUBMITTED: "The warehouse already has it.",
    OrderState.SHIPPED: "The warehouse already shipped it.",
    OrderState.COMPLETED: "It's already complete.",
}
CHANGED_SINCE = "It has changed since."
EARLIER_ACTIONS: Mapping[str, str] = {
    "change after sending seen to": "changes acknowledged",
    "colleague invited": "teammate invited",
    "colleague removed": "teammate removed",
    "rehearsal asked for": "dry run requested",
    "store read now": "store synced",
    "products read again": "products synced",
}
"""Actions in the audit trail as earlier versions named them."""
NOTHING_TO_RELEASE = "It isn't on hold for a reason you can release."
WAS_AT_THE_WAREHOUSE = "It was at the warehouse before it was closed."
PURGED = "The buyer's data has been deleted."
SHIPPED_IN_BIG_CARTEL = "Big Cartel shows it as shipped."


def title_of(action: str) -> str:
    """Return an action of the audit trail as people read it."""
    current = EARLIER_ACTIONS.get(action, action)
    return current[:1].upper() + current[1:]


def release_instead(holds: Sequence[str]) -> str:
    """``holds`` are the sentences of the holds that a person may release."""
    return f"{' '.join(holds)} To send it anyway, release it."


def cannot_be(done: str, number: str, why: str) -> str:
    """``done`` is the action's participle, such as "retried"."""
    return f"{number} can't be {done}. {why}"


def not_reread(number: str) -> str:
    return (
        f"{number} wasn't changed. First we read the order and its product descriptions from Big Cartel, and "
        "that failed. Check that the store is connected, then try again in a minute."
    )


def just_changed(number: str) -> str:
    return f"{number} has just changed. Check it, then try again."


CLOSING = "We'll never send it. Nothing changes in Big Cartel."


def retrying(order: Order) -> str:
    """Return what a retry will do with an order that is not assessed again."""
    if order.state is OrderState.SHIPPED:
        return "We'll mark it as shipped in Big Cartel now."
    if order.state is OrderState.UNCONFIRMED or order.is_lost:
        return "We'll ask the warehouse about it now, and send it again only if the warehouse doesn't have it."
    return "We'll send it now, without waiting for the next try."


def reassessed(holds: Sequence[str]) -> str:
    """Return what a retry or release will do with an order that is assessed again; ``holds`` are sentences."""
    if not holds:
        return "We'll check it again and send it to the warehouse."
    return f"We'll check it again, and it will be on hold. {' '.join(holds)}"


def erased_sentence(numbers: Sequence[str]) -> str:
    if not numbers:
        return "No order's data could be erased: no complete or closed order has this email address."
    return f"Erased the buyer's data of {_counted(numbers)}: {', '.join(numbers)}."


def emptied_sentence(texts: int) -> str:
    """``texts`` counts the notes and messages that mentioned the buyer."""
    return f"Emptied {'1 note or message' if texts == 1 else f'{texts} notes and messages'} about the buyer."


def still_open_sentence(numbers: Sequence[str]) -> str:
    return (
        f"{_counted(numbers)} still open: {', '.join(numbers)}. They keep the buyer's data until they are complete or "
        "closed. Close them, or wait, then erase again."
    )


def _counted(numbers: Sequence[str]) -> str:
    return "1 order" if len(numbers) == 1 else f"{len(numbers)} orders"
