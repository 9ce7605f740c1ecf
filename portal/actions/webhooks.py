"""Actions on a merchant's webhook: set, rotate its secret, turn it off and on, test it, send a message again."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from portal.clients.webhook import host_of
from portal.crypto import seal
from portal.messages.webhooks import queue_test, shown_host
from portal.models import Channel, Message, WebhookEndpoint, WebhookFormat
from portal.models.audit import record

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings

SECRET_BYTES = 32


def save(
    session: Session,
    merchant_id: int,
    *,
    url: str,
    webhook_format: WebhookFormat,
    settings: Settings,
    actor: str,
    reason: str,
    now: datetime,
) -> str:
    """Set where messages go and in which format, and turn the webhook on. Commits.

    Returns the new signing secret, which is shown only once, or "" if the webhook needs none or keeps the one it has.
    """
    endpoint = _locked(session, merchant_id)
    secret = ""
    if endpoint is None:
        endpoint = WebhookEndpoint(merchant_id=merchant_id, sealed_secret="")
        session.add(endpoint)
    if webhook_format is WebhookFormat.SLACK:
        endpoint.sealed_secret = ""
    elif not endpoint.sealed_secret:
        secret = _new_secret()
        endpoint.sealed_secret = seal(secret, settings.token_keys)
    endpoint.sealed_url = seal(url, settings.token_keys)
    endpoint.format = webhook_format
    endpoint.created_at, endpoint.disabled_at, endpoint.disabled_because = now, None, ""
    subject = f"{host_of(url)} ({webhook_format.value})"
    record(session, "webhook set", merchant_id=merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    session.commit()
    return secret


def rotate_secret(
    session: Session, merchant_id: int, *, settings: Settings, actor: str, reason: str, now: datetime
) -> str:
    """Replace the signing secret at once, and return the new one; "" if the webhook isn't signed. Commits.

    Messages that the receiver rejects until it has the new one are tried again later.
    """
    endpoint = _locked(session, merchant_id)
    if endpoint is None or endpoint.format is not WebhookFormat.STANDARD:
        session.commit()
        return ""
    secret = _new_secret()
    endpoint.sealed_secret = seal(secret, settings.token_keys)
    subject = shown_host(endpoint, settings)
    action = "webhook secret replaced"
    record(session, action, merchant_id=merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    session.commit()
    return secret


def switch(
    session: Session, merchant_id: int, *, is_on: bool, settings: Settings, actor: str, reason: str, now: datetime
) -> bool:
    """Turn the webhook on or off, and return whether that changed anything. Commits."""
    endpoint = _locked(session, merchant_id)
    if endpoint is None or (endpoint.disabled_at is None) is is_on:
        session.commit()
        return False
    endpoint.disabled_at, endpoint.disabled_because = None if is_on else now, ""
    if is_on:
        endpoint.created_at = now
    action = "webhook turned on" if is_on else "webhook turned off"
    subject = shown_host(endpoint, settings)
    record(session, action, merchant_id=merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    session.commit()
    return True


def send_test(
    session: Session, endpoint: WebhookEndpoint, *, settings: Settings, actor: str, reason: str, now: datetime
) -> None:
    """Queue a test message. Commits. Raises SealError if the webhook's URL can't be decrypted."""
    queue_test(session, settings, endpoint, now)
    subject = shown_host(endpoint, settings)
    action = "webhook tested"
    record(session, action, merchant_id=endpoint.merchant_id, subject=subject, actor=actor, reason=reason, now=now)
    session.commit()


def send_again(session: Session, message: Message, *, actor: str, reason: str, now: datetime) -> bool:
    """Make a webhook's message due that was given up; False and no change for any other. Commits."""
    if message.channel is not Channel.WEBHOOK or message.sent_at is not None or message.next_attempt_at is not None:
        return False
    message.next_attempt_at, message.tries = now, 0
    action, merchant_id = "webhook message sent again", message.merchant_id
    record(session, action, merchant_id=merchant_id, subject=message.subject, actor=actor, reason=reason, now=now)
    session.commit()
    return True


def _locked(session: Session, merchant_id: int) -> WebhookEndpoint | None:
    return session.get(WebhookEndpoint, merchant_id, with_for_update=True, populate_existing=True)


def _new_secret() -> str:
    """Return a random secret as the Standard Webhooks specification writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
