"""What an order's state means: its label, who it is waiting on, and a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.fcp_statuses import StatusKind, kind_of_status
from portal.models import Merchant, Order, OrderState, Store
from portal.rules.patience import SENT_AS_READ
from portal.wording.rejections import meaning_of
from portal.wording.stops import CHECK_CREDENTIALS, DISCONNECTED, RECONNECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

STATE_LABELS: Mapping[OrderState, str] = {
    OrderState.HELD: "On hold",
    OrderState.READY: "Ready to send",
    OrderState.SUBMITTING: "Sending",
    OrderState.UNCONFIRMED: "Awaiting confirmation",
    OrderState.REJECTED: "Rejected",
    OrderState.SUBMITTED: "At the warehouse",
    OrderState.SHIPPED: "Shipped",
    OrderState.COMPLETED: "Complete",
    OrderState.CLOSED: "Closed",
}

RECONCILED_LABELS: Mapping[OrderState, str] = {**STATE_LABELS, OrderState.CLOSED: "Closed after it was sent"}
"""Labels of waiting orders in a reconciliation, which counts those closed before they were sent as left out."""

NEEDS_ATTENTION: Mapping[str, str] = {
    "rejected": "Rejected by the warehouse. Fix the problem, then retry.",
    "not_sent": "Couldn't be sent for 72 hours. Make sure the warehouse can be reached, then retry.",
    "not_told": "Shipped, but we couldn't update Big Cartel for 72 hours. Retry, or mark as shipped there.",
    "lost": "Accepted by the warehouse, but no longer found there. Ask the warehouse.",
    "unaccounted": "Unaccounted for. Reconciliation lists the order numbers.",
}
"""What a count of orders on the dashboard means and what to do; holds have their own sentences."""

MARKED_IN_BIG_CARTEL = "Marked as shipped in Big Cartel."
GONE_FROM_BIG_CARTEL = "No longer in Big Cartel."
SHIPPED_BUT_GONE = "Shipped by the warehouse; no longer in Big Cartel."
CANCELED_AT_THE_WAREHOUSE = "Canceled at the warehouse."


_SKUS_ARE_CHECKED = "We'll send this order once we have checked its SKUs in Big Cartel again."


def closed_by(actor: str, reason: str) -> str:
    """Return why a person closed an order, as it is stored with the order."""
    return f"Closed by {actor}: {reason}"


def is_stopped(merchant: Merchant | None) -> bool:
    """Return whether nothing is sent for the merchant until somebody enters working credentials."""
    return merchant is not None and merchant.credentials_refused_at is not None


def sentence_of(order: Order, merchant: Merchant | None = None) -> str:
    """Return what happened, what it means and what to do; with the merchant, also what stops all its orders."""
    match order.state:
        case OrderState.HELD:
            return "We check it at every sync and send it automatically once every reason is resolved."
        case OrderState.READY if order.is_given_up:
            return (
                "We couldn't send this order for 72 hours. "
                "Make sure the warehouse can be reached, then retry the order."
            )
        case OrderState.READY if is_stopped(merchant):
            return f"{CHECK_CREDENTIALS} After that, we'll send the order automatically."
        case OrderState.READY:
            return "We'll send it to the warehouse automatically."
        case OrderState.SUBMITTING:
            return "We're sending this order to the warehouse now."
        case OrderState.UNCONFIRMED:
            return (
                "We don't know yet whether this order reached the warehouse. "
                "We're checking with the warehouse and won't send it twice."
            )
        case OrderState.REJECTED if not order.state_reason:
            return (
                "The warehouse rejected this order without giving a reason. Ask the warehouse why. "
                "Then retry the order, or close it."
            )
        case OrderState.REJECTED:
            remedy = meaning_of(order.state_reason).remedy
            return (
                f'The warehouse rejected this order: "{order.state_reason}". {remedy} '
                "Then retry the order, or close it."
            )
        case OrderState.SUBMITTED if order.is_lost:
            return (
                "The warehouse accepted this order but can't find it anymore. Ask the warehouse about it. "
                "If they won't ship it, retry the order to send it again, or close it."
            )
        case OrderState.SUBMITTED if kind_of_status(order.fcp_status) is StatusKind.UNKNOWN:
            return (
                f'At the warehouse{_as_number(order)}. Its status there is "{order.fcp_status}", which we don\'t '
                "recognize, so we can't tell whether it has shipped. Ask the warehouse. "
                "If it has shipped, mark the order as shipped in Big Cartel."
            )
        case OrderState.SUBMITTED:
            return f"At the warehouse{_as_number(order)}. Status there: {order.fcp_status or 'not known yet'}."
        case OrderState.SHIPPED if order.is_given_up:
            return (
                "The warehouse shipped this order, but we couldn't update Big Cartel for 72 hours. "
                "Retry the order, or mark it as shipped in Big Cartel."
            )
        case OrderState.SHIPPED:
            return f"Shipped{_by(order)}. We're updating Big Cartel."
        case OrderState.COMPLETED:
            return f"Shipped{_by(order)} and marked as shipped in Big Cartel."
        case OrderState.CLOSED:
            return order.state_reason or "Closed."


def waits_for_store(order: Order, store: Store, now: datetime) -> str:
    """Return why a ready order waits for its store, "" if it doesn't, or if Big Cartel fails for everyone."""
    if order.state is not OrderState.READY or order.first_seen_at > now - SENT_AS_READ:
        return ""
    if not store.is_connected:
        return f"{RECONNECT if store.reconnect_needed_at else DISCONNECTED} {_SKUS_ARE_CHECKED}"
    if not order.failures and order.next_attempt_at is not None and order.next_attempt_at > now:
        return f"We couldn't read its products in Big Cartel. {_SKUS_ARE_CHECKED}"
    return ""


def _as_number(order: Order) -> str:
    return f" as {order.fcp_order_id}" if order.fcp_order_id else ""


def _by(order: Order) -> str:
    on = f" on {order.shipped_on}" if order.shipped_on else ""
    by = f" by {order.carrier}" if order.carrier else ""
    return f"{on}{by}"
