"""The outbox: mails are queued as rows, in the transaction of what they are about, and sent by a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy.dialects import postgresql, sqlite

from portal.messages.delivery import send_due
from portal.messages.letters import Footer, Letter, write
from portal.messages.unsubscribe import unsubscribe_url
from portal.models import Channel, Merchant, Message, MessageKind, User

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.messages.recipients import Person

__all__ = ["queue_mail", "send_due"]

_messages = cast("Table", Message.__table__)


def queue_mail(
    session: Session,
    settings: Settings,
    letter: Letter,
    *,
    to: Person,
    kind: MessageKind,
    key: str,
    merchant_id: int | None,
    incident_id: int | None = None,
    unsubscribe_kind: str = "",
    now: datetime,
) -> None:
    """Queue a mail, unless one with this key is queued already or was. The caller commits."""
    footer = _footer(session, settings, to=to, unsubscribe_kind=unsubscribe_kind)
    written = write(letter, footer, public_url=settings.public_url)
    _add_once(
        session,
        {
            "key": key,
            "channel": Channel.EMAIL,
            "kind": kind,
            "merchant_id": merchant_id,
            "user_id": to.user_id,
            "incident_id": incident_id,
            "recipient": to.email,
            "subject": letter.subject,
            "text": written.text,
            "html": written.html,
            "unsubscribe_kind": unsubscribe_kind if to.user_id else "",
            "created_at": now,
            "next_attempt_at": now,
        },
    )


def _footer(session: Session, settings: Settings, *, to: Person, unsubscribe_kind: str) -> Footer:
    if to.user_id is None:
        return Footer("You get this email because the portal's settings name this address.")
    user = session.get_one(User, to.user_id)
    merchant = None if user.merchant_id is None else session.get_one(Merchant, user.merchant_id)
    reason = f"on the team of {merchant.name}" if merchant else "a support user of the portal"
    return Footer(
        f"You get this email because you're {reason}.",
        choose=f"{settings.public_url}/account#alerts",
        unsubscribe=unsubscribe_url(settings, to.user_id, unsubscribe_kind) if unsubscribe_kind else "",
    )


def _add_once(session: Session, row: dict[str, object]) -> None:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(_messages) if is_postgresql else sqlite.insert(_messages)
    session.execute(insert.values(row).on_conflict_do_nothing(index_elements=["key"]))
