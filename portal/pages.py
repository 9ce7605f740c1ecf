"""What the pages add to the app: sessions, protection, limits, and the pages themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config import MAX_BODY_BYTES
from portal import access, compression, filters, oauth, security, static_files, views
from portal.logs.request_ids import RequestIds
from portal.page_extensions import bootstrap, csrf, limiter, login
from portal.proxies import TrustedProxies
from portal.queue import ANSWER_SECONDS, timeouts

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def register(app: Flask, settings: Settings) -> None:
    is_https = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key,
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
    oauth.register(app, settings)
    access.guard(app)
    security.secure(app, settings)
    filters.register(app)
    views.register(app)
    static_files.register(app)
    compression.register(app)
