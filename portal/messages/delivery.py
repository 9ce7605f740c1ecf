"""Send the messages that are due, each once as far as anybody can tell.

A message is claimed before it is sent and completed after it. If the portal dies in between, nobody knows whether it
arrived, and it is sent again when the claim ends: a mail twice, which mail programs show once because its Message-ID is
the same, is better than none. The database keeps the times of retries; the queue only wakes.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import ColumnElement, CursorResult, and_, select, update

from portal import mail
from portal.messages import webhooks
from portal.messages.hourly import prepare
from portal.messages.unsubscribe import unsubscribe_url
from portal.models import Channel, Message
from portal.signing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=5)
"""How long a sender may take for one message. Longer than every time-out on the way together."""
RUN = timedelta(minutes=5)
"""After this long, a run ends and leaves the rest to the next one."""
RUN_WITH_WEBHOOKS = timedelta(seconds=30)
"""After this long, a run leaves webhooks that are due to the next run, which sends new mails first."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
LONGEST_WAIT_FOR_SERVER = timedelta(minutes=5)
"""While our mail server or a webhook is down, one try this often shows when it is back, for all that is due there."""
GIVE_UP_AFTER = timedelta(days=3)


def send_due(session: Session, settings: Settings, clock: Callable[[], datetime]) -> int:
    """Send the mails and webhook messages that are due, and return how many were sent. Commits.

    Two senders at once send each message once. The first failure to reach the mail server puts off all mails, and the
    first of a webhook all that is due there.
    """
    started, sent = clock(), 0
    prepare(session, settings, started)
    mails, posts = _due(session, started)
    for number, message_id in enumerate([*mails, *posts]):
        now = clock()
        if now - started > (RUN if number < len(mails) else RUN_WITH_WEBHOOKS):
            break
        if _claim(session, message_id, now) and _send(session, message_id, settings, clock):
            sent += 1
    return sent


def next_wait(tries: int, longest: timedelta) -> timedelta:
    """Return how long to wait after this many tries: from 30 seconds, doubled each time, a quarter more or less."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(tries - 1, 20), longest)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret


def _due(session: Session, now: datetime) -> tuple[list[int], list[int]]:
    """Return the mails, and the messages to webhooks, that are due. Receivers may be slow, so mails go first."""
    due = select(Message.id, Message.channel, Message.merchant_id).where(Message.next_attempt_at <= now)
    rows = session.execute(due.order_by(Message.tries, Message.id)).all()
    session.commit()
    mails = sorted(key for key, channel, _ in rows if channel is Channel.EMAIL)
    return mails, _in_turns((merchant_id, key) for key, channel, merchant_id in rows if channel is not Channel.EMAIL)


def _in_turns(posts: Iterable[tuple[int | None, int]]) -> list[int]:
    """Return one message of each receiver, then another one of each, and so on, otherwise in the order given."""
    turns: list[list[int]] = []
    had: Counter[int | None] = Counter()
    for receiver, message_id in posts:
        if had[receiver] == len(turns):
            turns.append([])
        turns[had[receiver]].append(message_id)
        had[receiver] += 1
    return [message_id for turn in turns for message_id in turn]


def _claim(session: Session, message_id: int, now: datetime) -> bool:
    """Claim the message if it is still due. Commits."""
    claim = (
        update(Message)
        .where(Message.id == message_id, Message.next_attempt_at <= now)
        .values(tries=Message.tries + 1, next_attempt_at=now + CLAIM, error="")
        .execution_options(synchronize_session=False)
    )
    claimed = cast("CursorResult[object]", session.execute(claim)).rowcount == 1
    session.commit()
    return claimed


def _send(session: Session, message_id: int, settings: Settings, clock: Callable[[], datetime]) -> bool:
    """Send the claimed message, record how it went, and return whether it was sent. Commits."""
    message = session.get_one(Message, message_id, populate_existing=True)
    try:
        if message.channel is Channel.EMAIL:
            _mail(session, message, settings)
        else:
            webhooks.post(session, message, settings, clock)
    except mail.MailError as error:
        longest = LONGEST_WAIT_FOR_SERVER if error.is_everyone else LONGEST_WAIT
        wait = next_wait(message.tries, longest)
        _record_failure(session, message, str(error), clock(), None if error.is_final else wait)
        if error.is_everyone:
            _put_off(session, Message.channel == Channel.EMAIL, clock() + wait, clock())
    except webhooks.DeliveryError as error:
        wait = max(next_wait(message.tries, LONGEST_WAIT), error.retry_after or timedelta())
        _record_failure(session, message, str(error), clock(), None if error.is_final else wait)
        if not error.is_final:
            wait = max(min(wait, LONGEST_WAIT_FOR_SERVER), error.retry_after or timedelta())
            _put_off(session, _is_to(message.merchant_id), clock() + wait, clock())
    else:
        message.sent_at, message.next_attempt_at, message.error = clock(), None, ""
        log.info("message.sent", extra={"message_id": message.id, "kind": message.kind, "channel": message.channel})
        session.commit()
        return True
    return False


def _mail(session: Session, message: Message, settings: Settings) -> None:
    """Send the mail. Ends the transaction first. Raises MailError."""
    to, subject, text = message.recipient, message.subject, message.text
    url = ""
    if message.user_id is not None and message.unsubscribe_kind:
        url = unsubscribe_url(settings, message.user_id, message.unsubscribe_kind)
    message_id = fingerprint(f"message {message.id}", settings.secret_key)
    extras = mail.Extras(html=message.html, message_id=message_id, unsubscribe_url=url)
    session.commit()
    mail.send(settings, to=to, subject=subject, text=text, extras=extras)


def _record_failure(session: Session, message: Message, sentence: str, now: datetime, wait: timedelta | None) -> None:
    """Record when to try again, or without a wait that nobody will, as after three days. Commits."""
    is_given_up = wait is None or now - message.created_at >= GIVE_UP_AFTER
    message.error, message.next_attempt_at = sentence, None if wait is None or is_given_up else now + wait
    detail = {"message_id": message.id, "kind": message.kind, "channel": message.channel, "tries": message.tries}
    session.commit()
    if is_given_up:
        log.error("message.given_up", extra=detail)
    else:
        log.warning("message.failed", extra=detail)


def _is_to(merchant_id: int | None) -> ColumnElement[bool]:
    """Return the condition for messages to the webhook of this merchant or, for None, to the operator's."""
    return and_(Message.channel == Channel.WEBHOOK, Message.merchant_id.is_not_distinct_from(merchant_id))


def _put_off(session: Session, which: ColumnElement[bool], until: datetime, now: datetime) -> None:
    """Put off each of these messages that is due: trying each would cost a time-out each. Commits."""
    due = update(Message).where(which, Message.next_attempt_at <= now)
    session.execute(due.values(next_attempt_at=until).execution_options(synchronize_session=False))
    session.commit()
