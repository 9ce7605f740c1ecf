"""The current app's settings, database session and queue, for pages, commands and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from portal import queue
from portal.extensions import db

if TYPE_CHECKING:
    from redis import Redis
    from sqlalchemy.orm import Session

    from config import Settings
    from portal.queue import Call


def settings() -> Settings:
    given: Settings = current_app.config["SETTINGS"]
    return given


def session() -> Session:
    return db.session()


def redis() -> Redis:
    return queue.connect(settings().redis_url)


def wake(*calls: Call) -> None:
    """Wake workers for committed work. If Redis is down, the next tick finds the work in the database."""
    queue.wake_if_possible(redis(), calls)
