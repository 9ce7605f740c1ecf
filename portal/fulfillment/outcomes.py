"""What an order's row, and its merchant's, learn from an answer of the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.clients.errors import Throttled
from portal.rules import backoff

if TYPE_CHECKING:
    from datetime import datetime

    from portal.clients.errors import ServiceError
    from portal.models import Merchant


def accepted_columns(fcp_order_id: str, fcp_status: str, now: datetime) -> dict[str, Any]:
    """What the row learns when the warehouse has the order."""
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


def rejected_columns(words: str) -> dict[str, Any]:
    """What the row learns when the warehouse has refused the order: its words; no clock tries again."""
    return {"claim": "", "next_attempt_at": None, "state_reason": words}


def failure_columns(failures: int, first_failed_at: datetime | None, now: datetime) -> dict[str, Any]:
    """One more failure that time may mend: when to try again, or never by itself after 72 hours."""
    first = first_failed_at or now
    return {
        "failures": failures + 1,
        "first_failed_at": first,
        "next_attempt_at": backoff.next_try(failures + 1, first, now),
    }


def fcp_failed(merchant: Merchant, error: ServiceError, now: datetime) -> None:
    """Let the clock leave the merchant's way to the FCP alone for a while."""
    merchant.fcp_failures += 1
    merchant.fcp_error = str(error)
    if isinstance(error, Throttled):
        merchant.fcp_after = backoff.throttled(merchant.fcp_failures, error.retry_after, now)
    else:
        merchant.fcp_after = backoff.later(merchant.fcp_failures, now)


def fcp_answered(merchant: Merchant) -> None:
    merchant.fcp_failures = 0
    merchant.fcp_error = ""
    merchant.fcp_after = None
