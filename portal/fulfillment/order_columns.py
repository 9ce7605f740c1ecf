"""Order columns to set after an assessment, or after an answer from the FCP or Big Cartel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import StoredHold, StoredLine
from portal.rules import backoff

if TYPE_CHECKING:
    from datetime import datetime

    from portal.clients.fcp import OrderStatus
    from portal.models.states import ClosedBecause, OrderColumns
    from portal.rules.assessment import Assessment, Line

FRESH_START: OrderColumns = {"failures": 0, "first_failed_at": None}
"""Columns that clear earlier failures."""


def assessed_columns(assessment: Assessment, assessed_at: datetime) -> OrderColumns:
    """Return the columns that store an assessment.

    ``assessed_at`` must be a time before the rulebook loaded its rules and products. If they change in between, the
    order counts as assessed before the change and is assessed again.
    """
    return {
        "holds": [StoredHold(reason=hold.reason.value, detail=hold.detail) for hold in assessment.holds],
        "lines": [_stored(line) for line in assessment.lines],
        "shipping_code": assessment.shipping_code.value if assessment.shipping_code else "",
        "service": assessment.service,
        "assessed_at": assessed_at,
    }


def held_columns(assessment: Assessment, assessed_at: datetime) -> OrderColumns:
    return {**assessed_columns(assessment, assessed_at), "claim": "", "next_attempt_at": None}


def ready_columns(now: datetime) -> OrderColumns:
    """Return the columns of an order to be tried now, as if it had never failed."""
    return {"next_attempt_at": now, **FRESH_START}


def accepted_columns(fcp_order_id: str, fcp_status: str, now: datetime) -> OrderColumns:
    """Return the columns of an order that is at the warehouse."""
    return {
        "claim": "",
        "fcp_order_id": fcp_order_id,
        "fcp_status": fcp_status,
        "submitted_at": now,
        "next_attempt_at": None,
        "state_reason": "",
        **FRESH_START,
    }


def rejected_columns(words: str) -> OrderColumns:
    """Return the columns of an order that the warehouse rejected with these words; the schedule never retries it."""
    return {"claim": "", "next_attempt_at": None, "state_reason": words}


def failure_columns(failures: int, first_failed_at: datetime | None, now: datetime) -> OrderColumns:
    """Return the columns after one more temporary failure; after 72 hours there is no next try: a person must act."""
    first = first_failed_at or now
    return {
        **charged_columns(failures, first, now),
        "next_attempt_at": backoff.next_try(failures + 1, first, now),
    }


def unsent_columns(failures: int, first_failed_at: datetime | None, now: datetime) -> OrderColumns:
    """Return the columns of an order that was claimed but not sent: it is due as if nothing had happened."""
    return {"claim": "", "next_attempt_at": now, "failures": failures, "first_failed_at": first_failed_at}


def charged_columns(failures: int, first_failed_at: datetime | None, now: datetime) -> OrderColumns:
    """Return the columns that count one more failure against the order itself."""
    return {"failures": failures + 1, "first_failed_at": first_failed_at or now}


def shipped_columns(status: OrderStatus, now: datetime) -> OrderColumns:
    """Return the columns of an order that the warehouse shipped; it is now due to be marked in Big Cartel."""
    return {
        "shipped_on": status.ship_date.isoformat() if status.ship_date else "",
        "carrier": status.carrier,
        "tracking_numbers": list(status.tracking_numbers),
        "fcp_missing_since": None,
        "next_attempt_at": now,
        **FRESH_START,
    }


def closed_columns(reason: str, because: ClosedBecause) -> OrderColumns:
    """Return the columns of a closed order; ``reason`` is a sentence."""
    return {"state_reason": reason, "closed_because": because, "next_attempt_at": None}


def reopened_columns() -> OrderColumns:
    """Return the columns of an order that is no longer closed."""
    return {"state_reason": "", "closed_because": None}


def _stored(line: Line) -> StoredLine:
    return StoredLine(
        item_id=line.item_id,
        name=line.name,
        option=line.option,
        product_id=line.product_id,
        sku=line.sku,
        quantity=line.quantity,
        source=line.source,
        left_out=line.left_out,
        problems=list(line.problems),
        option_id=line.option_id,
    )
