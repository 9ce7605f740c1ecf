"""What a state means, in words for people; the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.fulfillment.clients import CHECK_CREDENTIALS
from portal.models import Merchant, Order, OrderState
from portal.reports.rejections import meaning_of

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_LABELS: Mapping[OrderState, str] = {
    OrderState.HELD: "On hold",
    OrderState.READY: "Waiting to send",
    OrderState.SUBMITTING: "Sending",
    OrderState.UNCONFIRMED: "Sent, not confirmed",
    OrderState.REJECTED: "Refused",
    OrderState.SUBMITTED: "At the warehouse",
    OrderState.SHIPPED: "Shipped",
    OrderState.COMPLETED: "Done",
    OrderState.CLOSED: "Closed",
}


def is_stopped(merchant: Merchant | None) -> bool:
    """Whether the warehouse takes nothing from the merchant until somebody mends the credentials."""
    return merchant is not None and merchant.credentials_refused_at is not None


def sentence_of(order: Order, merchant: Merchant | None = None) -> str:
    """What happened, what it means and whose move it is; with the merchant, also what keeps all its orders."""
    match order.state:
        case OrderState.HELD:
            return "Not sent. It is looked at again at every poll and leaves by itself once nothing holds it."
        case OrderState.READY if order.is_given_up:
            return "It could not be sent for 72 hours. Check that the warehouse can be reached, then retry it."
        case OrderState.READY if is_stopped(merchant):
            return f"It waits to be sent. {CHECK_CREDENTIALS} Then it goes by itself."
        case OrderState.READY:
            return "It will be sent at the next run."
        case OrderState.SUBMITTING:
            return "It is being handed to the warehouse now."
        case OrderState.UNCONFIRMED:
            return "We sent it and got no clear answer. We are asking the warehouse; it will not be sent twice."
        case OrderState.REJECTED:
            meaning = meaning_of(order.state_reason).sentence
            return f'The warehouse refused it: "{order.state_reason}". {meaning} Then retry the order, or close it.'
        case OrderState.SUBMITTED if order.is_lost:
            return (
                "The warehouse accepted it and does not know it any more. Ask the warehouse. "
                "If it will not come, retry the order to send it again, or close it."
            )
        case OrderState.SUBMITTED:
            as_number = f" as {order.fcp_order_id}" if order.fcp_order_id else ""
            return f"Accepted by the warehouse{as_number}; its status there: {order.fcp_status or 'not known yet'}."
        case OrderState.SHIPPED if order.is_given_up:
            return (
                "The warehouse shipped it; Big Cartel could not be told for 72 hours. "
                "Retry it, or set it to shipped there by hand."
            )
        case OrderState.SHIPPED:
            return f"Shipped{_by(order)}; Big Cartel is being told."
        case OrderState.COMPLETED:
            return f"Shipped{_by(order)}, and marked shipped in Big Cartel. Nothing is left to do."
        case OrderState.CLOSED:
            return order.state_reason or "It is closed."


def _by(order: Order) -> str:
    on = f" on {order.shipped_on}" if order.shipped_on else ""
    by = f" by {order.carrier}" if order.carrier else ""
    return f"{on}{by}"
