"""Queue messages for webhooks, and post one: for each merchant's webhook, and for the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.models import Incident, Message, MessageKind


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


def queue_for_incident(
    session: Session,
    settings: Settings,
    incident: Incident,
    *,
    kind: MessageKind,
    subject: str,
    text: str,
    path: str,
    now: datetime,
    to_merchants: bool = True,
    to_operator: bool = True,
) -> None:
    """Queue a message about the incident for the webhooks of those it concerns. The caller commits.

    Without a merchant, the incident concerns all of them: ``{merchant}`` in ``path`` stands for each one's id. A
    message that is already queued isn't queued again.
    """


def post(session: Session, message: Message, settings: Settings, clock: Callable[[], datetime]) -> None:
    """Post the message, and set its ``http_status``. Ends the transaction first. Raises DeliveryError."""
