"""Write down who did what, to what, and why; it is committed with the action itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def record(
    session: Session,
    action: str,
    *,
    merchant_id: int | None,
    subject: str = "",
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """``actor`` is a user's e-mail address, or "command line"."""
    session.add(AuditEntry(at=now, actor=actor, merchant_id=merchant_id, action=action, subject=subject, reason=reason))
