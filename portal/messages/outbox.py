"""The outbox: mails are queued as rows, in the transaction of what they are about, and sent by a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from portal.messages.delivery import send_due
from portal.messages.letters import Footer, Letter, write
from portal.messages.unsubscribe import unsubscribe_url
from portal.models import Channel, Merchant, Message, MessageKind, User
from portal.models.base import chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.messages.recipients import Person

__all__ = ["Mail", "queue_mail", "queue_mails", "send_due"]

_messages = cast("Table", Message.__table__)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to be queued."""

    letter: Letter
    to: Person
    kind: MessageKind
    key: str
    """What it is about and for whom."""
    merchant_id: int | None
    incident_id: int | None = None
    unsubscribe_kind: str = ""


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
    queue_mails(session, settings, [Mail(letter, to, kind, key, merchant_id, incident_id, unsubscribe_kind)], now)


def queue_mails(session: Session, settings: Settings, mails: Sequence[Mail], now: datetime) -> None:
    """Queue mails, except those whose key is that of one that is queued already or was. The caller commits.

    It takes two queries for a few hundred mails.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(_messages) if is_postgresql else sqlite.insert(_messages)
    for some in chunks(mails):
        teams = _teams(session, some)
        rows = [_row(mail, _footer(settings, mail, teams), settings, now) for mail in some]
        session.flush()
        session.connection().execute(insert.on_conflict_do_nothing(index_elements=["key"]), rows)


def _row(mail: Mail, footer: Footer, settings: Settings, now: datetime) -> dict[str, object]:
    written = write(mail.letter, footer, public_url=settings.public_url)
    return {
        "key": mail.key,
        "channel": Channel.EMAIL,
        "kind": mail.kind,
        "merchant_id": mail.merchant_id,
        "user_id": mail.to.user_id,
        "incident_id": mail.incident_id,
        "recipient": mail.to.email,
        "subject": mail.letter.subject,
        "text": written.text,
        "html": written.html,
        "unsubscribe_kind": mail.unsubscribe_kind if mail.to.user_id else "",
        "created_at": now,
        "next_attempt_at": now,
    }


def _teams(session: Session, mails: Sequence[Mail]) -> Mapping[int, str | None]:
    """Return the name of the merchant on whose team each person is, None for support, by the user's id."""
    user_ids = {mail.to.user_id for mail in mails if mail.to.user_id is not None}
    names = select(User.id, Merchant.name).outerjoin(Merchant, Merchant.id == User.merchant_id)
    return {row[0]: row[1] for row in session.execute(names.where(User.id.in_(user_ids)))}


def _footer(settings: Settings, mail: Mail, teams: Mapping[int, str | None]) -> Footer:
    user_id, kind = mail.to.user_id, mail.unsubscribe_kind
    if user_id is None:
        return Footer("You get this email because the portal's settings name this address.")
    team = teams[user_id]
    reason = f"on the team of {team}" if team is not None else "a support user of the portal"
    return Footer(
        f"You get this email because you're {reason}.",
        choose=f"{settings.public_url}/account#alerts",
        unsubscribe=unsubscribe_url(settings, user_id, kind) if kind else "",
    )
