"""The app that pages, commands and jobs have in common: its settings and its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

import portal.models  # noqa: F401 - migrations compare the database with every table
from portal.database import engine_options
from portal.extensions import db
from portal.metrics import calls

if TYPE_CHECKING:
    from config import Settings


def create_core(settings: Settings) -> Flask:
    """Create the app in which jobs run. Opens no connection, so a missing database is noticed only on first use."""
    app = Flask("portal")
    app.config.update(
        SETTINGS=settings,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
    )
    db.init_app(app)
    # After each request, job and command: whatever has an app context may have made calls.
    app.teardown_appcontext(lambda _error: calls.add(settings.redis_url))
    return app
