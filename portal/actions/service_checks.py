"""Have the warehouse asked again whether it offers a carrier service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.fulfillment import chores, warehouse_checks
from portal.models.audit import record

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Merchant


def check_again(session: Session, merchant: Merchant, code: str, *, actor: str, reason: str, now: datetime) -> None:
    """Check the service with a TEST order as soon as a worker is free. Commits."""
    warehouse_checks.ask_again(session, merchant.id, code, now)
    record(
        session, "service check requested", merchant_id=merchant.id, subject=code, actor=actor, reason=reason, now=now
    )
    session.commit()
    check_soon(session, now)


def check_soon(session: Session, now: datetime) -> None:
    """Make the checks due now rather than within half a minute: somebody is waiting. Commits."""
    chores.interrupt(session, chores.ChoreName.CHECKS, now)
