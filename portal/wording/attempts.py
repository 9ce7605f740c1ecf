"""What an attempt was, how it ended, and what that means for the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.errors import (
    Busy,
    Duplicate,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.models import AttemptKind, AttemptOutcome, Trigger
from portal.wording.stops import CHECK_CREDENTIALS, RECONNECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.models import Attempt

KIND_LABELS: Mapping[AttemptKind, str] = {
    AttemptKind.SUBMIT: "Send order",
    AttemptKind.STATUS: "Status check",
    AttemptKind.MARK_SHIPPED: "Update Big Cartel",
}
OUTCOME_LABELS: Mapping[AttemptOutcome, str] = {
    AttemptOutcome.OPEN: "No answer yet",
    AttemptOutcome.DONE: "Succeeded",
    AttemptOutcome.NOT_SENT: "Not sent",
    AttemptOutcome.UNKNOWN: "Unclear answer",
    AttemptOutcome.REFUSED: "Rejected",
    AttemptOutcome.DUPLICATE: "Already there",
    AttemptOutcome.UNAUTHORIZED: "Credentials rejected",
    AttemptOutcome.NOT_FOUND: "Not found",
    AttemptOutcome.INTERRUPTED: "Interrupted",
}
TRIGGER_LABELS: Mapping[Trigger, str] = {
    Trigger.SCHEDULE: "automatic",
    Trigger.PERSON: "started by a person",
}
OUTCOME_COLORS: Mapping[AttemptOutcome, str] = {
    AttemptOutcome.OPEN: "info",
    AttemptOutcome.DONE: "success",
    AttemptOutcome.NOT_SENT: "warning",
    AttemptOutcome.UNKNOWN: "warning",
    AttemptOutcome.REFUSED: "danger",
    AttemptOutcome.DUPLICATE: "info",
    AttemptOutcome.UNAUTHORIZED: "danger",
    AttemptOutcome.NOT_FOUND: "warning",
    AttemptOutcome.INTERRUPTED: "warning",
}

FOUND = "The warehouse has the order."
NOT_THERE = "The warehouse doesn't have the order. We won't send it again."
NOT_THERE_STORE_UNKNOWN = (
    "The warehouse doesn't have the order. Before sending it again, we have to check it in Big Cartel, which we "
    "couldn't reach. We'll try again automatically."
)
NOT_THERE_YET = "The warehouse doesn't have the order yet. We'll check once more before sending it again."
NOT_THERE_BUT_DUPLICATE = (
    "The warehouse doesn't have the order but still rejects its number as a duplicate. We won't send it again."
)
NOT_THERE_AND_REJECTED = (
    "The warehouse doesn't have the order and has rejected it more than once. We won't send it again."
)
WITHDRAWN = "We stopped before we came to this order, so nothing was sent. We'll try again automatically."
SENDING_AGAIN = "The warehouse doesn't have the order. We'll send it again."
SENDING_INTERRUPTED = (
    "Our worker stopped before the warehouse answered. We're checking whether the warehouse has the order."
)
LOST = "The warehouse accepted this order but can't find it anymore. Ask the warehouse about it."
SHIPPED = "The warehouse shipped the order."
CANCELED = "The warehouse canceled the order. We won't send it again."
MARKED = "Big Cartel shows the order as shipped."
MARKING_INTERRUPTED = (
    "Our worker stopped before Big Cartel answered. We're checking whether Big Cartel shows the order as shipped."
)
NOT_NAMED = "The answer doesn't include this order."


def taken_up_again(status: str) -> str:
    """``status`` is the warehouse's own, of an order that it had canceled."""
    return f"The warehouse no longer shows the order as canceled. {status_there(status)}"


def asked_about(number: str) -> str:
    """Return what one order's attempt shows as the request when the call asked about many orders."""
    return f"Asked together with other orders: <OrderNumber>{number}</OrderNumber>"


def accepted_as(number: str) -> str:
    """``number`` is the FCP's own order id, or the order's number if it sent none."""
    return f"The warehouse accepted the order as {number}."


def status_there(status: str) -> str:
    """``status`` is exactly as the FCP sent it, or ""."""
    return f"Status at the warehouse: {status or 'none given'}."


_FAILED: Mapping[AttemptKind, tuple[tuple[type[ServiceError], str], ...]] = {
    AttemptKind.SUBMIT: (
        (Duplicate, "The warehouse says it already has this order number. We're asking for the order's status."),
        (Unauthorized, CHECK_CREDENTIALS),
        (
            Rejected,
            "The warehouse rejected the order. Fix the problem it describes, then retry the order, or close it.",
        ),
        (Throttled, "The warehouse asked us to slow down. We'll try again automatically."),
        (NotSent, "We couldn't reach the warehouse, so nothing was sent. We'll try again automatically."),
        (
            Busy,
            (
                "The warehouse's system is busy or unavailable and didn't confirm the order. "
                "We're checking whether it has the order."
            ),
        ),
        (
            UnexpectedAnswer,
            "The warehouse sent an answer we couldn't read. We're checking whether it has the order.",
        ),
        (OutcomeUnknown, "The warehouse didn't confirm the order. We're checking whether it has the order."),
    ),
    AttemptKind.STATUS: (
        (Unauthorized, CHECK_CREDENTIALS),
        (
            NotFound,
            (
                "The warehouse's system can't tell us whether it has the order. "
                "We'll send the order number again: the warehouse rejects a number it already has."
            ),
        ),
        (ServiceError, "The warehouse didn't say whether it has the order. We'll ask again automatically."),
    ),
    AttemptKind.MARK_SHIPPED: (
        (Unauthorized, RECONNECT),
        (NotFound, "The order is no longer in Big Cartel."),
        (
            Rejected,
            (
                "Big Cartel didn't let us mark the order as shipped. "
                "Mark it as shipped there, or wait: we'll try again automatically."
            ),
        ),
        (Throttled, "Big Cartel asked us to slow down. We'll try again automatically."),
        (NotSent, "We couldn't reach Big Cartel. We'll try again automatically."),
        (
            OutcomeUnknown,
            "Big Cartel didn't confirm the change. We'll check the order first, and try again if it's still unshipped.",
        ),
    ),
}


def explain(error: ServiceError, kind: AttemptKind) -> str:
    """Return what a failed call means for the order and what happens next, in a sentence or two."""
    return next(sentence for error_type, sentence in _FAILED[kind] if isinstance(error, error_type))


def duration(attempt: Attempt) -> str:
    """Return how long the call took, or "" while it is in progress."""
    if attempt.finished_at is None:
        return ""
    seconds = max((attempt.finished_at - attempt.started_at).total_seconds(), 0.0)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
