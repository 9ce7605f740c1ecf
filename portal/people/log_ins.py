"""Log-ins: each is recorded in the database, so it ends when the user logs out, whoever has a copy of its cookies."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from portal.models import LogIn, User

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

REMEMBERED_FOR = timedelta(days=30)
IDLE_FOR = timedelta(hours=12)
"""A log-in that isn't remembered ends this long after its last use."""
AT_MOST = timedelta(days=7)
"""And at the latest this long after it began: pages that update themselves count as use."""
EXTENDED_EVERY = timedelta(hours=1)
"""How often use is written down."""


def start(session: Session, user: User, *, is_remembered: bool, now: datetime) -> None:
    """Record a new log-in and set the user's ``cookie_id`` to it. Commits."""
    key = secrets.token_urlsafe(24)
    lifetime = REMEMBERED_FOR if is_remembered else IDLE_FOR
    session.add(
        LogIn(
            user_id=user.id,
            key_hash=_hashed(key),
            is_remembered=is_remembered,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    session.commit()
    user.cookie_id = f"{user.session_key}.{key}"


def find_user(session: Session, cookie_id: str, now: datetime) -> User | None:
    """Return the user whom a cookie logs in, or None if its log-in has ended. Commits if it extends the log-in."""
    session_key, _, key = cookie_id.rpartition(".")
    found = session.execute(
        select(User, LogIn)
        .join(LogIn, LogIn.user_id == User.id)
        .where(LogIn.key_hash == _hashed(key), LogIn.expires_at > now, User.session_key == session_key)
    ).first()
    if found is None:
        return None
    user, log_in = found
    user.cookie_id = cookie_id
    if not log_in.is_remembered:
        _extend(session, log_in, now)
    return user


def _extend(session: Session, log_in: LogIn, now: datetime) -> None:
    until = min(now + IDLE_FOR, log_in.created_at + AT_MOST)
    if until - log_in.expires_at >= EXTENDED_EVERY:
        session.execute(update(LogIn).where(LogIn.id == log_in.id).values(expires_at=until))
        session.commit()


def end(session: Session, user: User) -> None:
    """End the log-in that the user's ``cookie_id`` stands for. Commits."""
    session.execute(delete(LogIn).where(_is_this_one(user)))
    session.commit()


def end_others(session: Session, user: User) -> None:
    """End every log-in of the user but the one that ``cookie_id`` stands for. Commits."""
    session.execute(delete(LogIn).where(LogIn.user_id == user.id, ~_is_this_one(user)))
    session.commit()


def count_others(session: Session, user: User, now: datetime) -> int:
    """Return in how many other browsers the user is logged in."""
    others = select(func.count()).where(LogIn.user_id == user.id, LogIn.expires_at > now, ~_is_this_one(user))
    return session.scalar(others) or 0


def delete_expired(session: Session, now: datetime) -> None:
    """Delete the log-ins that have expired. Commits."""
    session.execute(delete(LogIn).where(LogIn.expires_at <= now))
    session.commit()


def _is_this_one(user: User) -> ColumnElement[bool]:
    return LogIn.key_hash == _hashed(user.cookie_id.rpartition(".")[2])


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
