"""The portal's app factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

import portal.models  # noqa: F401 - migrations compare the database with every table
from config import MAX_BODY_BYTES
from portal import access, cli, filters, oauth, security, views
from portal.database import engine_options
from portal.extensions import bootstrap, csrf, db, limiter, login, migrate
from portal.logs.request_ids import RequestIds
from portal.metrics import calls
from portal.proxies import TrustedProxies
from portal.queue import ANSWER_SECONDS, timeouts
from portal.schema import MIGRATIONS

if TYPE_CHECKING:
    from config import Settings


def create_app(settings: Settings) -> Flask:
    """Create the app. Opens no connection, so a missing database is noticed only on first use."""
    app = Flask(__name__)
    is_https = settings.public_url.startswith("https://")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=is_https,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
        BOOTSTRAP_BTN_STYLE="primary",
        RATELIMIT_STORAGE_URI=settings.redis_url,
        # A limiter that finds Redis hanging asks it twice, so each time may take half as long.
        RATELIMIT_STORAGE_OPTIONS=timeouts(ANSWER_SECONDS / 2),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_IN_MEMORY_FALLBACK=[],
        RATELIMIT_HEADERS_ENABLED=False,
        # Otherwise Retry-After would ignore the limits that last longer than the first one exceeded.
        RATELIMIT_FAIL_ON_FIRST_BREACH=False,
        # Failed log-ins are counted after the answer is made: it is sent even if Redis has gone away by then.
        RATELIMIT_SWALLOW_ERRORS=True,
    )
    app.wsgi_app = TrustedProxies(RequestIds(app.wsgi_app), settings.trusted_proxies)  # type: ignore[method-assign]  # as Flask documents it
    access.limit_public_forms(app)
    for extension in (login, csrf, limiter, bootstrap):
        extension.init_app(app)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    oauth.register(app, settings)
    access.guard(app)
    security.secure(app, settings)
    filters.register(app)
    views.register(app)
    cli.register(app)
    # After each request, job and command: whatever has an app context may have made calls.
    app.teardown_appcontext(lambda _error: calls.add(settings.redis_url))
    return app
