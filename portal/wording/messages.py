"""What became of a message, in words for a table."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portal.models import Channel, Message, MessageKind

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_LABELS: Mapping[MessageKind, str] = {
    MessageKind.INCIDENT_OPENED: "Incident opened",
    MessageKind.INCIDENT_CLOSED: "Incident closed",
    MessageKind.INCIDENT_REMINDER: "Reminder",
    MessageKind.MORNING_NOTE: "Morning note",
    MessageKind.NOTE: "Note",
    MessageKind.SUMMARY: "Summary",
    MessageKind.TEST: "Test",
}


class Delivery(StrEnum):
    SENT = "sent"
    WAITING = "waiting"
    """Due now or later, and not tried yet."""
    RETRYING = "retrying"
    """The last try failed, and there will be another."""
    FOLDED = "folded"
    FAILED = "failed"
    """Given up."""


DELIVERY_LABELS: Mapping[Delivery, str] = {
    Delivery.SENT: "Sent",
    Delivery.WAITING: "Waiting",
    Delivery.RETRYING: "Trying again",
    Delivery.FOLDED: "In a summary",
    Delivery.FAILED: "Failed",
}
DELIVERY_COLORS: Mapping[Delivery, str] = {
    Delivery.SENT: "success",
    Delivery.WAITING: "secondary",
    Delivery.RETRYING: "warning",
    Delivery.FOLDED: "secondary",
    Delivery.FAILED: "danger",
}


def delivery(message: Message) -> Delivery:
    if message.sent_at is not None:
        return Delivery.SENT
    if message.next_attempt_at is not None:
        return Delivery.RETRYING if message.error else Delivery.WAITING
    return Delivery.FOLDED if message.folded_into is not None else Delivery.FAILED


def receiver(message: Message) -> str:
    """Return the address of a mail, or only the host of a webhook: the rest of its URL may be a secret."""
    if message.channel is Channel.EMAIL:
        return message.recipient
    return f"Webhook at {urlsplit(message.recipient).hostname or 'an unknown host'}"
