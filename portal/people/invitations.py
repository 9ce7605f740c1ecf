"""Invitations of colleagues: kept in the audit trail, open until used, withdrawn, repeated or a week old."""

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

INVITED = "colleague invited"
ACCEPTED = "invitation accepted"
WITHDRAWN = "invitation withdrawn"
REMOVED = "colleague removed"
_STEPS = (INVITED, ACCEPTED, WITHDRAWN, REMOVED)


@dataclass(frozen=True, slots=True)
class Invitation:
    """``id`` is that of the entry in the audit trail."""

    id: int
    merchant_id: int
    email: str
    by: str
    at: datetime


def open_invitations(session: Session, merchant: Merchant, now: datetime) -> Sequence[Invitation]:
    """The latest one for each address without an account, by people who still belong to the merchant."""
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
    invited = [entry for entry in last.values() if entry.action == INVITED]
    known = set(session.scalars(select(User.email).where(User.email.in_([entry.subject for entry in invited]))))
    hosts = set(
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
        if entry.subject not in known and entry.actor in hosts
    ]


def find_open(session: Session, invitation_id: int, now: datetime) -> tuple[Invitation, Merchant] | None:
    """The invitation and its merchant, while it is open."""
    entry = session.get(AuditEntry, invitation_id)
    merchant = session.get(Merchant, entry.merchant_id) if entry is not None and entry.merchant_id else None
    if merchant is None:
        return None
    for invitation in open_invitations(session, merchant, now):
        if invitation.id == invitation_id:
            return invitation, merchant
    return None


def invite(session: Session, merchant: Merchant, *, email: str, actor: str, reason: str, now: datetime) -> Invitation:
    """Keep an invitation, whose link is mailed by the caller. Commits."""
    entry = AuditEntry(at=now, actor=actor, merchant_id=merchant.id, action=INVITED, subject=email, reason=reason)
    session.add(entry)
    session.commit()
    return Invitation(entry.id, merchant.id, email, actor, now)


def withdraw(session: Session, invitation: Invitation, *, actor: str, reason: str, now: datetime) -> None:
    """Make the link of an invitation worthless. Commits."""
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
