"""What an order's row learns from an assessment and from the answers of the two services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import StoredHold, StoredLine
from portal.rules import backoff

if TYPE_CHECKING:
    from datetime import datetime

    from portal.clients.fcp import OrderStatus
    from portal.models.states import OrderColumns
    from portal.rules.assessment import Assessment, Line

FRESH_START: OrderColumns = {"failures": 0, "first_failed_at": None}
"""No failure counts any more."""


def assessed_columns(assessment: Assessment, assessed_at: datetime) -> OrderColumns:
    """Return what the row of an order keeps of its assessment.

    ``assessed_at`` is a time before the rulebook learned: what it knows may have changed since, and an order that seems
    to have been looked at after that change would not be looked at again.
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
    """Return what the row learns when it is to be tried now, with no failure before."""
    return {"next_attempt_at": now, **FRESH_START}


def accepted_columns(fcp_order_id: str, fcp_status: str, now: datetime) -> OrderColumns:
    """Return what the row learns when the warehouse has the order."""
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
    """Return what the row learns when the warehouse has rejected the order: its words; no clock tries again."""
    return {"claim": "", "next_attempt_at": None, "state_reason": words}


def failure_columns(failures: int, first_failed_at: datetime | None, now: datetime) -> OrderColumns:
    """Return one more failure that may pass: when to try again, or, after 72 hours, that only a person may."""
    first = first_failed_at or now
    return {
        "failures": failures + 1,
        "first_failed_at": first,
        "next_attempt_at": backoff.next_try(failures + 1, first, now),
    }


def shipped_columns(status: OrderStatus, now: datetime) -> OrderColumns:
    """Return what the row learns when the warehouse has shipped the order: Big Cartel is to be told now."""
    return {
        "shipped_on": status.ship_date.isoformat() if status.ship_date else "",
        "carrier": status.carrier,
        "tracking_numbers": list(status.tracking_numbers),
        "fcp_missing_since": None,
        "next_attempt_at": now,
        **FRESH_START,
    }


def closed_columns(reason: str) -> OrderColumns:
    """Return what the row learns when the order is closed; ``reason`` is a sentence."""
    return {"state_reason": reason, "next_attempt_at": None}


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
    )
