"""Tell the operator that the database is away: by mail at once, because the outbox is in the database."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from portal.mail import MailError, send
from portal.messages.recipients import operators
from portal.queue import briefly

if TYPE_CHECKING:
    from collections.abc import Callable

    from config import Settings

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=2)
"""Nobody is told of a shorter outage."""
TOLD = "portal:database-away:"
"""A key in Redis for each address that was told of the outage but not of its end, so that several watches tell it once.
Its value is when the outage began."""
TOLD_SECONDS = 30 * 86_400


class DatabaseOutage:
    """Whether the database is away, as one watch sees it, and who has been told."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings, self._clock = settings, clock
        self._since: datetime | None = None
        self._told: dict[str, datetime] = {}
        """What this watch has told, for when Redis is away as well."""
        self._may_be_open = True
        """Whether somebody may have to be told of an end: also of an outage that an earlier watch saw."""

    def is_away(self, reason: str) -> None:
        """Note that the database can't be used, and tell the operator if that has lasted."""
        now = self._clock()
        if self._since is None:
            self._since = now
            log.error("watch.database_away", extra={"error": reason})
        self._may_be_open = True
        if now - self._since < GRACE:
            return
        for person in operators(self._settings):
            if self._claim(person.email, self._since):
                text = (
                    f"The portal hasn't reached its database since {_time(self._since)}. Until it is back, no store is "
                    "synced, no order is sent, and pages show an error. Nothing is lost: everything that waits starts "
                    "then.\n\nStart the database, or check DATABASE_URL. The error:\n"
                    f"{reason}\n\nWe'll write again when it is back.\n"
                )
                if not self._mail(person.email, "The database can't be reached", text):
                    self._release(person.email)

    def is_over(self) -> None:
        """Note that the database answers, and tell it to those who were told of the outage."""
        if self._since is not None:
            seconds = round((self._clock() - self._since).total_seconds())
            log.warning("watch.database_back", extra={"seconds": seconds})
            self._since = None
        if not self._may_be_open:
            return
        self._may_be_open = False
        for person in operators(self._settings):
            since = self._release(person.email)
            if since is None:
                continue
            minutes = max(1, round((self._clock() - since).total_seconds() / 60))
            text = (
                f"The portal reaches its database again. It was away for {minutes} "
                f"{'minute' if minutes == 1 else 'minutes'}, since {_time(since)}. Everything that waited starts now.\n"
            )
            if not self._mail(person.email, "The database is back", text):
                self._claim(person.email, since)
                self._may_be_open = True

    def _mail(self, to: str, subject: str, text: str) -> bool:
        try:
            send(self._settings, to=to, subject=subject, text=text)
        except MailError:
            return False
        return True

    def _claim(self, email: str, since: datetime) -> bool:
        """Return whether nobody has told this address yet, and note that we do."""
        if email in self._told:
            return False
        try:
            with briefly(self._settings.redis_url) as connection:
                is_ours = bool(connection.set(TOLD + email, since.isoformat(), nx=True, ex=TOLD_SECONDS))
        except RedisError:
            is_ours = True
        if is_ours:
            self._told[email] = since
        return is_ours

    def _release(self, email: str) -> datetime | None:
        """Return since when the outage lasted that this address was told of, and note that it is over.

        None if the address was told of none, or another watch tells it of the end.
        """
        ours = self._told.pop(email, None)
        try:
            with briefly(self._settings.redis_url) as connection:
                stored = connection.getdel(TOLD + email)
        except RedisError:
            return ours
        try:
            return datetime.fromisoformat(stored.decode()) if isinstance(stored, bytes) else None
        except ValueError:
            return ours


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
