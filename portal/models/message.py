"""Messages to people and to other systems, and where they go. The rows are the outbox: jobs send what is due."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, text_enum

_IS_DUE = text("next_attempt_at IS NOT NULL")


class Channel(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"


class MessageKind(StrEnum):
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_CLOSED = "incident_closed"
    INCIDENT_REMINDER = "incident_reminder"
    MORNING_NOTE = "morning_note"
    NOTE = "note"
    SUMMARY = "summary"
    """Several messages folded into one, because the person has had enough of them within the hour."""
    TEST = "test"


class Message(Base):
    """One mail to one address, or one call of one webhook. Written before it is sent, and completed after."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_due", "next_attempt_at", postgresql_where=_IS_DUE, sqlite_where=_IS_DUE),
        Index("ix_messages_merchant", "merchant_id", "id"),
        Index("ix_messages_recipient", "recipient", "sent_at"),
        CheckConstraint("tries >= 0", name="tries"),
        # A message that is sent and still due would be sent twice.
        CheckConstraint("sent_at IS NULL OR next_attempt_at IS NULL", name="sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """What it is about and for whom, so that nothing is queued twice."""
    # A message to be sent in an unknown way would stay due forever.
    channel: Mapped[Channel] = mapped_column(text_enum(Channel, "channel"))
    kind: Mapped[MessageKind] = mapped_column(text_enum(MessageKind, "kind", is_checked=False))
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchants.id"))
    """Whose message it is; None for the operator's."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str]
    """An email address, or a webhook's URL without its path, which may be a secret."""
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    """The mail as plain text, or the webhook's event as JSON; emptied when it is purged."""
    html: Mapped[str] = mapped_column(Text, default="")
    unsubscribe_kind: Mapped[str] = mapped_column(default="")
    """What its unsubscribe link turns off; empty if it has none."""
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    """When it is due; None once it is sent, folded into another, or given up."""
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    folded_into: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    error: Mapped[str] = mapped_column(Text, default="")
    """Why the last try failed, as a sentence."""
    http_status: Mapped[int | None]


def note_key(note_id: int, recipient: str = "") -> str:
    """Return the key of the mail about a note to this recipient; without one, how the keys of all of them begin."""
    return f"note:{note_id}:{recipient}"


class WebhookFormat(StrEnum):
    SLACK = "slack"
    STANDARD = "standard"
    """Signed JSON by the Standard Webhooks specification."""


class WebhookEndpoint(Base):
    """Where a merchant wants messages to be posted."""

    __tablename__ = "webhook_endpoints"

    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"), primary_key=True, autoincrement=False)
    sealed_url: Mapped[str] = mapped_column(Text)
    """Encrypted (portal.crypto): the URL of a Slack webhook is itself a secret."""
    # With an unknown one, no message to the merchant could be written.
    format: Mapped[WebhookFormat] = mapped_column(text_enum(WebhookFormat, "format"))
    sealed_secret: Mapped[str] = mapped_column(Text, default="")
    """The signing secret, encrypted; empty for Slack."""
    created_at: Mapped[datetime]
    """When it was saved or turned on last."""
    disabled_at: Mapped[datetime | None]
    """Set when a person turned it off, or we did, because it is gone (410) or failed for days."""
    disabled_because: Mapped[str] = mapped_column(Text, default="")
    """Why we turned it off, as sentences; empty if a person did, or while it is on."""
