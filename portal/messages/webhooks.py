"""Queue messages for webhooks, and post one: to each merchant's webhook, and to the operator's."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from sqlalchemy import Table, func, insert, select
from standardwebhooks import Webhook

from portal.clients import webhook
from portal.crypto import SealError, unseal
from portal.messages import events
from portal.models import Channel, Message, MessageKind, WebhookEndpoint, WebhookFormat

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.models import Incident

log = logging.getLogger(__name__)

_messages = cast("Table", Message.__table__)

GIVEN_UP_AFTER = timedelta(days=3)
"""How long every message to a webhook must have failed for it to be turned off."""
GONE = 410
TURNED_OFF = "The webhook is turned off."
TEST_TITLE = "Test message"
TEST_TEXT = "Messages about incidents arrive here: when one opens, and when it closes."


class DeliveryError(Exception):
    """The message wasn't delivered; the text says why, as a sentence.

    ``is_final`` means that another try can't help. ``retry_after`` is how long the receiver asked us to wait.
    """

    def __init__(
        self, sentence: str, http_status: int | None, *, is_final: bool, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(sentence)
        self.http_status = http_status
        self.is_final = is_final
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where to post, and how: with a secret by the Standard Webhooks specification, without one as for Slack."""

    url: str
    secret: str
    private_allowed: bool


def queue_for_incident(
    session: Session,
    settings: Settings,
    incident: Incident,
    *,
    kind: MessageKind,
    subject: str,
    told: Callable[[int | None], events.Told],
    now: datetime,
    to_merchants: bool = True,
    to_operator: bool = True,
) -> None:
    """Queue a message about the incident for the webhooks of those it concerns. The caller commits.

    ``told`` returns what a merchant is told or, for None, the operator. The caller has marked the incident as told, so
    that no message is queued twice.
    """
    recipients: list[tuple[int | None, str]] = _merchants(session, settings, incident.merchant_id, to_merchants)
    if to_operator and settings.operator_webhook_url:
        recipients.append((None, webhook.host_of(settings.operator_webhook_url)))
    rows = []
    for merchant_id, host in recipients:
        theirs = told(merchant_id)
        text = theirs.outcome if kind is MessageKind.INCIDENT_CLOSED else incident.explanation
        url = settings.public_url + theirs.path
        row = _row(
            key=f"webhook:{kind}:{incident.id}:{merchant_id or 'operator'}:{now.isoformat()}",
            kind=kind,
            merchant_id=merchant_id,
            host=host,
            subject=subject,
            event=events.of_incident(incident, kind, theirs, text=text, url=url, now=now),
            now=now,
        )
        rows.append(row | {"incident_id": incident.id})
    if rows:
        session.flush()
        session.connection().execute(insert(_messages), rows)


def queue_test(session: Session, settings: Settings, endpoint: WebhookEndpoint | None, now: datetime) -> Message:
    """Queue a test message for a merchant's webhook or, for None, for the operator's. The caller commits."""
    merchant_id = endpoint.merchant_id if endpoint else None
    path = f"/m/{merchant_id}/settings/webhook" if merchant_id else "/"
    url = receiver_of(endpoint, settings).url
    row = _row(
        key=f"webhook:{MessageKind.TEST}:{uuid4()}",
        kind=MessageKind.TEST,
        merchant_id=merchant_id,
        host=webhook.host_of(url),
        subject=TEST_TITLE,
        event=events.of_test(
            merchant_id=merchant_id, title=TEST_TITLE, text=TEST_TEXT, url=settings.public_url + path, now=now
        ),
        now=now,
    )
    message = Message(**row)
    session.add(message)
    return message


def post(session: Session, message: Message, settings: Settings, clock: Callable[[], datetime]) -> None:
    """Post the message, and set its ``http_status``. Ends the transaction first. Raises DeliveryError.

    Any answer but 2xx may be tried again, as the Standard Webhooks specification says: a receiver that is being
    deployed answers 404, and one whose secret is being replaced 401. Only 410 is final, and turns the webhook off.
    """
    endpoint = session.get(WebhookEndpoint, message.merchant_id) if message.merchant_id else None
    if message.merchant_id is not None and (endpoint is None or endpoint.disabled_at is not None):
        raise DeliveryError(TURNED_OFF, None, is_final=True)
    try:
        receiver = receiver_of(endpoint, settings)
    except SealError as error:
        raise DeliveryError(str(error), None, is_final=False) from None
    if not receiver.url:
        raise DeliveryError(TURNED_OFF, None, is_final=True)
    session.commit()
    try:
        _post(message, receiver, clock())
    except DeliveryError as error:
        if endpoint is None or not _is_to_be_turned_off(session, endpoint, error, clock()):
            raise
        _turn_off(session, endpoint, error, clock())
        raise DeliveryError(f"{error} We turned the webhook off.", error.http_status, is_final=True) from error


def receiver_of(endpoint: WebhookEndpoint | None, settings: Settings) -> Receiver:
    """Return the merchant's or, for None, the operator's receiver, whose URL is empty if it isn't set.

    Raises SealError.
    """
    if endpoint is None:
        return Receiver(settings.operator_webhook_url, settings.operator_webhook_secret, private_allowed=True)
    keys = settings.token_keys
    is_signed = endpoint.format is WebhookFormat.STANDARD
    return Receiver(
        unseal(endpoint.sealed_url, keys),
        unseal(endpoint.sealed_secret, keys) if is_signed else "",
        private_allowed=settings.webhook_private_addresses == "allow",
    )


def _post(message: Message, receiver: Receiver, now: datetime) -> None:
    if receiver.secret:
        # The id stays the same across tries, so that the receiver can tell what it has had already.
        message_id, body = f"msg_{message.id}", message.text
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(receiver.secret).sign(message_id, now, body),
        }
    else:
        body, headers = events.as_slack(message.text, message.subject), {}
    try:
        receipt = webhook.post(
            receiver.url,
            body.encode(),
            headers,
            private_allowed=receiver.private_allowed,
            now=now.timestamp(),
        )
    except webhook.UndeliveredError as error:
        raise DeliveryError(str(error), None, is_final=error.is_final) from None
    message.http_status = receipt.status
    if not 200 <= receipt.status < 300:
        wait = None if receipt.retry_after is None else timedelta(seconds=receipt.retry_after)
        sentence = _sentence(webhook.host_of(receiver.url), receipt.status)
        raise DeliveryError(sentence, receipt.status, is_final=receipt.status == GONE, retry_after=wait)


def _sentence(host: str, status: int) -> str:
    if status == GONE:
        return f"{host} said that this webhook no longer exists."
    if status == 429:
        return f"{host} asked us to slow down."
    if 300 <= status < 400:
        return f"{host} redirected us to another address, which we don't follow. Enter the final URL."
    return f"{host} returned an error." if status >= 400 else f"{host} didn't accept the message."


def _merchants(
    session: Session, settings: Settings, merchant_id: int | None, to_merchants: bool
) -> list[tuple[int | None, str]]:
    """Return the merchants to tell who have a webhook that is on, each with its host."""
    if not to_merchants:
        return []
    query = select(WebhookEndpoint).where(WebhookEndpoint.disabled_at.is_(None)).order_by(WebhookEndpoint.merchant_id)
    if merchant_id is not None:
        query = query.where(WebhookEndpoint.merchant_id == merchant_id)
    return [(endpoint.merchant_id, shown_host(endpoint, settings)) for endpoint in session.scalars(query)]


def shown_host(endpoint: WebhookEndpoint, settings: Settings) -> str:
    """Return the host of a merchant's webhook, which may be shown and logged; "" if it can't be decrypted."""
    try:
        return webhook.host_of(unseal(endpoint.sealed_url, settings.token_keys))
    except SealError:
        return ""


def _row(
    *, key: str, kind: MessageKind, merchant_id: int | None, host: str, subject: str, event: str, now: datetime
) -> dict[str, object]:
    return {
        "key": key,
        "channel": Channel.WEBHOOK,
        "kind": kind,
        "merchant_id": merchant_id,
        "recipient": f"https://{host}",
        "subject": subject,
        "text": event,
        "created_at": now,
        "next_attempt_at": now,
    }


def _is_to_be_turned_off(session: Session, endpoint: WebhookEndpoint, error: DeliveryError, now: datetime) -> bool:
    if error.http_status == GONE:
        return True
    since = _failing_since(session, endpoint)
    return since is not None and since <= now - GIVEN_UP_AFTER


def _failing_since(session: Session, endpoint: WebhookEndpoint) -> datetime | None:
    """Return when the oldest message was queued that failed after the last one that the webhook accepted.

    What failed before the webhook was saved or turned on last doesn't count.
    """
    mine = (Message.merchant_id == endpoint.merchant_id, Message.channel == Channel.WEBHOOK)
    accepted_at = session.scalar(select(func.max(Message.sent_at)).where(*mine))
    failed = select(func.min(Message.created_at)).where(
        *mine, Message.sent_at.is_(None), Message.tries > 0, Message.created_at >= endpoint.created_at
    )
    return session.scalar(failed.where(Message.created_at > accepted_at) if accepted_at else failed)


def _turn_off(session: Session, endpoint: WebhookEndpoint, error: DeliveryError, now: datetime) -> None:
    """Turn the webhook off, unless it was saved again while the message was being posted. The caller commits."""
    sealed_url = endpoint.sealed_url
    session.refresh(endpoint, with_for_update=True)
    if endpoint.sealed_url == sealed_url:
        endpoint.disabled_at, endpoint.disabled_because = now, _because(error)
        log.warning(
            "webhook.turned_off",
            extra={"merchant": endpoint.merchant_id, "status": error.http_status, "error": str(error)},
        )


def _because(error: DeliveryError) -> str:
    return str(error) if error.http_status == GONE else f"It accepted no message for three days. {error}"
