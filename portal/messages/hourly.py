"""How many mails a person gets: at most 10 an hour, with the rest folded into one summary.

And no news that is outdated: once the message about an incident's end is there, what wasn't sent before is not sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import aliased

from portal.messages.letters import Footer, Item, Letter, link_in, write
from portal.models import Alerts, Channel, Message, MessageKind, User
from portal.models.base import chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

log = logging.getLogger(__name__)

MAILS_PER_HOUR = 10
HOUR = timedelta(hours=1)
SENT_WHOLE = (MessageKind.SUMMARY, MessageKind.TEST, MessageKind.MORNING_NOTE, MessageKind.NOTE)
"""Kinds that are folded last: a summary never, the others because their subject says too little."""
OUTDATED_BY_THE_END = (MessageKind.INCIDENT_OPENED, MessageKind.INCIDENT_REMINDER)


@dataclass(frozen=True, slots=True)
class Share:
    """What becomes of the mails that are due for one person: every one is in exactly one of the three."""

    alone: Sequence[Message]
    folded: Sequence[Message]
    waiting: Sequence[Message]


def share(due: Sequence[Message], slots: int) -> Share:
    """Return which mails take the slots that are left in this hour; if they are too few, the last is for a summary."""
    ordered = sorted(due, key=lambda message: (_rank(message), message.id))
    summaries = [message for message in ordered if message.kind is MessageKind.SUMMARY]
    others = ordered[len(summaries) :]
    if len(ordered) <= slots:
        return Share(ordered, [], [])
    if len(summaries) >= slots:
        return Share(summaries[: max(slots, 0)], [], [*summaries[max(slots, 0) :], *others])
    whole = slots - len(summaries) - 1
    return Share([*summaries, *others[:whole]], others[whole:], [])


def _rank(message: Message) -> int:
    return SENT_WHOLE.index(message.kind) if message.kind in SENT_WHOLE else len(SENT_WHOLE)


def prepare(session: Session, settings: Settings, now: datetime) -> None:
    """Fold and put off due messages, so that what is due afterwards may be sent one by one. Commits."""
    _dissolve_summaries(session, now)
    _fold_into_endings(session, now)
    due = session.scalars(
        select(Message)
        .where(Message.channel == Channel.EMAIL, Message.next_attempt_at <= now)
        .order_by(Message.recipient, Message.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    due = _still_wanted(session, due)
    sent = _sent_within_the_hour(session, sorted({message.recipient for message in due}), now)
    for recipient, messages in groupby(due, key=lambda message: message.recipient):
        times = sent.get(recipient, [])
        shared = share(list(messages), MAILS_PER_HOUR - len(times))
        for message in shared.waiting:
            message.next_attempt_at = times[-MAILS_PER_HOUR] + HOUR
        if shared.folded:
            _fold(session, settings, shared.folded, now)
    session.commit()


def is_being_sent(message: type[Message], now: datetime) -> ColumnElement[bool]:
    """Whether a sender has claimed the message and not yet said how it went: a failure leaves an error."""
    return and_(message.sent_at.is_(None), message.tries > 0, message.error == "", message.next_attempt_at > now)


def _dissolve_summaries(session: Session, now: datetime) -> None:
    """Undo the summaries that are due. They are written again below, because what they say may be out of date."""
    due = select(Message).where(
        Message.channel == Channel.EMAIL, Message.kind == MessageKind.SUMMARY, Message.next_attempt_at <= now
    )
    for summary in session.scalars(due.with_for_update()).all():
        session.execute(
            update(Message)
            .where(Message.folded_into == summary.id, Message.text != "")
            .values(
                folded_into=None,
                next_attempt_at=now,
                tries=summary.tries,
                error=summary.error or "The summary with it wasn't sent.",
            )
        )
        session.execute(delete(Message).where(Message.id == summary.id))


def _fold_into_endings(session: Session, now: datetime) -> None:
    """Fold messages that an incident goes on, and weren't sent, into the later one that it is over."""
    ending = aliased(Message)
    later = (
        select(ending.id)
        .where(
            ending.kind == MessageKind.INCIDENT_CLOSED,
            ending.incident_id == Message.incident_id,
            ending.channel == Message.channel,
            ending.recipient == Message.recipient,
            ending.id > Message.id,
            or_(ending.sent_at.is_not(None), ending.next_attempt_at.is_not(None), ending.folded_into.is_not(None)),
        )
        .order_by(ending.id)
        .limit(1)
        .correlate(Message)
        .scalar_subquery()
    )
    outdated = update(Message).where(
        Message.kind.in_(OUTDATED_BY_THE_END),
        Message.next_attempt_at.is_not(None),
        ~is_being_sent(Message, now),
        later.is_not(None),
    )
    session.execute(
        outdated.values(folded_into=later, next_attempt_at=None), execution_options={"synchronize_session": False}
    )


def _still_wanted(session: Session, due: Sequence[Message]) -> Sequence[Message]:
    """Give up mails to people who were removed or unsubscribed after the mails were queued. Return the others."""
    ids = {message.user_id for message in due if message.user_id is not None}
    users = {user.id: user for user in session.scalars(select(User).where(User.id.in_(ids)))}
    wanted = []
    for message in due:
        user = users.get(message.user_id or 0)
        kind = message.unsubscribe_kind
        if kind and (user is None or user.alerts is Alerts.NONE or kind in user.muted):
            message.next_attempt_at, message.error = None, "This person no longer gets emails of this kind."
        else:
            wanted.append(message)
    return wanted


def _sent_within_the_hour(
    session: Session, recipients: Sequence[str], now: datetime
) -> Mapping[str, Sequence[datetime]]:
    """Return when each of them was sent a mail, oldest first. One that is being sent counts as sent now."""
    times: dict[str, list[datetime]] = {}
    for some in chunks(recipients):
        found = session.execute(
            select(Message.recipient, Message.sent_at)
            .where(
                Message.channel == Channel.EMAIL,
                Message.recipient.in_(some),
                or_(Message.sent_at > now - HOUR, is_being_sent(Message, now)),
            )
            .order_by(Message.sent_at)
        )
        for recipient, sent_at in found:
            times.setdefault(recipient, []).append(sent_at or now)
    return {recipient: sorted(of_one) for recipient, of_one in times.items()}


def _fold(session: Session, settings: Settings, messages: Sequence[Message], now: datetime) -> None:
    first = messages[0]
    count = len(messages)
    letter = Letter(
        subject=f"{count} messages in one: {first.subject}",
        heading=f"{count} messages in one",
        paragraphs=[f"You got {MAILS_PER_HOUR - 1} other emails from us within the hour, so we send these as one."],
        items=[Item(message.subject, link_in(message.text, public_url=settings.public_url)) for message in messages],
    )
    footer = Footer(
        f"You get at most {MAILS_PER_HOUR} emails an hour from us about what needs attention.",
        choose=f"{settings.public_url}/account#alerts" if first.user_id else "",
    )
    written = write(letter, footer, public_url=settings.public_url)
    summary = Message(
        key=f"summary:{first.id}:{max(message.id for message in messages)}:{now.isoformat()}",
        channel=Channel.EMAIL,
        kind=MessageKind.SUMMARY,
        merchant_id=first.merchant_id,
        user_id=first.user_id,
        recipient=first.recipient,
        subject=letter.subject,
        text=written.text,
        html=written.html,
        created_at=min(message.created_at for message in messages),
        next_attempt_at=now,
        tries=max(message.tries for message in messages),
    )
    session.add(summary)
    session.flush()
    for message in messages:
        message.folded_into, message.next_attempt_at = summary.id, None
    log.info("message.folded", extra={"message_id": summary.id, "folded": count})
