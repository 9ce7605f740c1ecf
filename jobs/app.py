"""What a job is given: the settings, the database session and the queue's connection of the worker's app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from portal.extensions import db
from portal.queue import connect

if TYPE_CHECKING:
    from redis import Redis
    from sqlalchemy.orm import Session

    from config import Settings


def settings() -> Settings:
    given: Settings = current_app.config["SETTINGS"]
    return given


def session() -> Session:
    return db.session()


def redis() -> Redis:
    return connect(settings().redis_url)
