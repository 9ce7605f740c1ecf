"""Record in a merchant's audit trail that support begins to act for the merchant, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import audit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Merchant

BEGUN = "support visit begun"


def record_visit(session: Session, merchant: Merchant, *, actor: str, reason: str, now: datetime) -> None:
    """Record it. Commits."""
    audit.record(session, BEGUN, merchant_id=merchant.id, actor=actor, reason=reason, now=now)
    session.commit()
