"""Send errors that nobody expected to Sentry, if SENTRY_DSN is set: where they happened, and nothing about whom.

An event has the exception's type, the lines of code, and the ids that log lines have. Its message stays in the log:
it may quote a value, and nobody knows whose. Nothing about the request or the browser leaves the portal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sentry_sdk
from redis.exceptions import RedisError
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sqlalchemy.exc import SQLAlchemyError

from portal.clients.errors import ServiceError
from portal.clients.redact import redact
from portal.database import is_unavailable
from portal.logs.setup import own_secrets
from portal.logs.work import work_of

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

    from config import Settings

FLUSH_SECONDS = 2.0
"""How long a job that failed waits for Sentry to take its events before its process ends."""


def start(settings: Settings) -> None:
    """Call it once per process; forks inherit it."""
    if not settings.sentry_dsn:
        return
    secrets = own_secrets(settings)

    def scrub(event: Event, _hint: Hint) -> Event:
        for exception in event.get("exception", {}).get("values", ()):
            # Those of calls to other services are written for logs and name no buyer.
            is_ours = exception.get("module") == ServiceError.__module__
            exception["value"] = redact(exception.get("value") or "", secrets) if is_ours else ""
        return event

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[ExcepthookIntegration(), AtexitIntegration(callback=lambda _pending, _seconds: None)],
        before_send=scrub,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=None,
        auto_session_tracking=False,
        send_client_reports=False,
    )


def report(error: Exception) -> None:
    """Send an error, unless it only says that the database or Redis is away. Returns at once."""
    if isinstance(error, RedisError) or (isinstance(error, SQLAlchemyError) and is_unavailable(error)):
        return
    with sentry_sdk.new_scope() as scope:
        for name, value in work_of(error).items():
            scope.set_tag(name, value)
        scope.capture_exception(error)


def flush() -> None:
    """Wait until the events are sent, for a process that ends without cleaning up."""
    sentry_sdk.flush(timeout=FLUSH_SECONDS)
