"""What an order's row learns from an answer of the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.rules import backoff

if TYPE_CHECKING:
    from datetime import datetime

    from portal.models.states import OrderColumns


def accepted_columns(fcp_order_id: str, fcp_status: str, now: datetime) -> OrderColumns:
    """Return what the row learns when the warehouse has the order."""
    return {
        "claim": "",
        "fcp_order_id": fcp_order_id,
        "fcp_status": fcp_status,
        "submitted_at": now,
        "failures": 0,
        "first_failed_at": None,
        "next_attempt_at": None,
        "state_reason": "",
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
