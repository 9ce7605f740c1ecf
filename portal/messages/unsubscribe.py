"""Unsubscribe links: each turns off one kind of mail for one person, without a log-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import User
from portal.signing import read_token, signer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config import Settings

LINK_SECONDS = 5 * 365 * 86_400
"""How long a link works: people keep mails for years."""
_PURPOSE = "unsubscribe"


def unsubscribe_url(settings: Settings, user_id: int, kind: str) -> str:
    return f"{settings.public_url}/unsubscribe/{signer(_PURPOSE, settings.secret_key).dumps([user_id, kind])}"


def read(token: str, settings: Settings) -> tuple[int, str] | None:
    """Return the user's id and the kind of mail that a link is about, or None if it is forged."""
    match read_token(_PURPOSE, token, settings.secret_key, LINK_SECONDS):
        case [int(user_id), str(kind)]:
            return user_id, kind
    return None


def is_muted(session: Session, user_id: int, kind: str) -> bool:
    """Return whether this kind of mail is off, as it is for someone who no longer has an account."""
    user = session.get(User, user_id)
    return user is None or kind in user.muted


def mute(session: Session, user_id: int, kind: str) -> None:
    """Turn off this kind of mail for this user, if it is on. Commits."""
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is not None and kind not in user.muted:
        user.muted = [*user.muted, kind]
    session.commit()


def unmute(session: Session, user_id: int, kind: str) -> None:
    """Turn this kind of mail on again. Commits."""
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is not None and kind in user.muted:
        user.muted = [one for one in user.muted if one != kind]
    session.commit()
