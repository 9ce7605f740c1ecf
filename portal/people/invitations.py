"""Invitations to a merchant's team.

They are stored as audit entries, and stay open until used, withdrawn, replaced by a newer one, or a week old.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from portal.models import AuditEntry, Merchant, Role, User
from portal.models.audit import record
from portal.people.tokens import INVITATION_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

INVITED = "teammate invited"
ACCEPTED = "invitation accepted"
WITHDRAWN = "invitation withdrawn"
REMOVED = "teammate removed"
_INVITED, _REMOVED = (INVITED, "colleague invited"), (REMOVED, "colleague removed")
"""With the actions' earlier names, which older audit entries still have."""
_STEPS = (*_INVITED, ACCEPTED, WITHDRAWN, *_REMOVED)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation; ``id`` is its audit entry's."""

    id: int
    merchant_id: int
    email: str
    by: str
    at: datetime


def open_invitations(session: Session, merchant: Merchant, now: datetime) -> Sequence[Invitation]:
    """Return the latest invitation for each address without an account, sent by people who still have access."""
    entries = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.merchant_id == merchant.id,
            AuditEntry.action.in_(_STEPS),
            AuditEntry.at > now - timedelta(seconds=INVITATION_SECONDS),
        )
        .order_by(AuditEntry.id)
    )
    last = {entry.subject: entry for entry in entries}
    invited = [entry for entry in last.values() if entry.action in _INVITED]
    known = set(session.scalars(select(User.email).where(User.email.in_([entry.subject for entry in invited]))))
    inviters = set(
        session.scalars(
            select(User.email).where(
                User.email.in_([entry.actor for entry in invited]),
                or_(User.merchant_id == merchant.id, User.role == Role.SUPPORT),
            )
        )
    )
    return [
        Invitation(entry.id, merchant.id, entry.subject, entry.actor, entry.at)
        for entry in invited
        if entry.subject not in known and entry.actor in inviters
    ]


def find_open(session: Session, invitation_id: int, now: datetime) -> tuple[Invitation, Merchant] | None:
    """Return the invitation and its merchant, or None if it is no longer open."""
    entry = session.get(AuditEntry, invitation_id)
    merchant = session.get(Merchant, entry.merchant_id) if entry is not None and entry.merchant_id else None
    if merchant is None:
        return None
    for invitation in open_invitations(session, merchant, now):
        if invitation.id == invitation_id:
            return invitation, merchant
    return None


def invite(session: Session, merchant: Merchant, *, email: str, actor: str, reason: str, now: datetime) -> Invitation:
    """Record an invitation; the caller emails its link. Commits."""
    entry = AuditEntry(at=now, actor=actor, merchant_id=merchant.id, action=INVITED, subject=email, reason=reason)
    session.add(entry)
    session.commit()
    return Invitation(entry.id, merchant.id, email, actor, now)


def withdraw(session: Session, invitation: Invitation, *, actor: str, reason: str, now: datetime) -> None:
    """Withdraw an invitation, so its link stops working. Commits."""
    record(
        session,
        WITHDRAWN,
        merchant_id=invitation.merchant_id,
        subject=invitation.email,
        actor=actor,
        reason=reason,
        now=now,
    )
    session.commit()
