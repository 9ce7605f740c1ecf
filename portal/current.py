"""The current app's settings, database session and queue, for pages, commands and jobs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import current_app
from redis.exceptions import RedisError

from portal import queue
from portal.extensions import db

if TYPE_CHECKING:
    from redis import Redis
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.queue import Call

log = logging.getLogger(__name__)


def settings() -> Settings:
    given: Settings = current_app.config["SETTINGS"]
    return given


def session() -> Session:
    return db.session()


def redis() -> Redis:
    return queue.connect_briefly(settings().redis_url)


def wake(*calls: Call) -> None:
    """Commit, then wake workers. If Redis is down or hangs, the next tick finds the work in the database.

    Redis is never asked inside a transaction: on SQLite an open one locks the database for everybody.
    """
    session().commit()
    try:
        with queue.briefly(settings().redis_url) as connection:
            queue.wake(connection, calls)
    except RedisError as error:
        log.warning("queue.wake_failed", extra={"error": str(error)})


def queue_health() -> dict[str, Any] | None:
    """Return the result of queue.health(), or None when Redis is down or hangs. Commits first, as wake() does."""
    session().commit()
    try:
        with queue.briefly(settings().redis_url) as connection:
            return queue.health(connection)
    except RedisError:
        return None
