"""What belongs to the current app, for pages, commands and jobs: its settings, its database session, its queue."""

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
    """Wake workers for what has just been committed. Without Redis the next tick finds it in the database."""
    queue.wake_if_possible(redis(), calls)
