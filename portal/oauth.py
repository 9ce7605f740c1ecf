"""Big Cartel's OAuth consent flow: the redirect there, and the access or failure that comes back.

Authlib makes the authorization request, with its state and PKCE challenge, and keeps both in the session. The code is
exchanged by ``portal/clients/bigcartel_oauth.py``, because Authlib's own call has no limit for size or time.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.integrations.flask_client import OAuth
from flask import current_app, redirect, request, session

from portal.clients.bigcartel_oauth import Access, AccountIdMissing, Grant, exchange_code, token_http
from portal.clients.errors import (
    Exchange,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.clients.redact import redact
from portal.clock import utc_now
from portal.connect_failures import ConnectFailedError, Failure
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from authlib.integrations.flask_client import FlaskOAuth2App
    from flask import Flask
    from werkzeug.wrappers import Response

    from config import Settings

log = logging.getLogger(__name__)

NAME = "bigcartel"
TIMEOUT = (5.0, 10.0)
"""Seconds to connect and to wait for the next part of the answer that has the token."""
DEADLINE = 15.0
"""Seconds for the whole answer."""
MAX_PENDING = 3
"""Unfinished connections kept per browser: each takes room in the session cookie."""
MAX_REASONS = 500
"""Characters of their reasons together: browsers drop a cookie over 4 KiB. It is the length of the longest one."""
MAX_CODE_LENGTH = 2_048
_REDIRECT_ERRORS = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""The error codes of a redirect back from the consent page (RFC 6749, section 4.1.2.1)."""


@dataclass(frozen=True, slots=True)
class PendingConnection:
    """What the session keeps while the person is at Big Cartel."""

    user_id: int
    merchant_id: int
    reason: str


def register(app: Flask, settings: Settings) -> None:
    """Register Big Cartel with the app's Authlib, which keeps the OAuth state in the session."""
    OAuth(app).register(
        NAME,
        client_id=settings.bigcartel_client_id,
        client_secret=settings.bigcartel_client_secret,
        authorize_url=settings.bigcartel_authorize_url,
        access_token_url=settings.bigcartel_token_url,
        # ASSUMED: Big Cartel ignores PKCE's parameters if it doesn't know them, as RFC 6749 demands (section 3.1).
        client_kwargs={"code_challenge_method": "S256"},
    )


def begin(pending: PendingConnection, *, redirect_uri: str) -> Response:
    """Redirect to Big Cartel's consent page, with a new state and a PKCE challenge."""
    client = _client()
    authorization = client.create_authorization_url(redirect_uri)
    _forget_expired()
    _forget_oldest(pending.reason)
    client.save_authorize_data(
        state=authorization["state"],
        redirect_uri=redirect_uri,
        code_verifier=authorization["code_verifier"],
        user_id=pending.user_id,
        merchant_id=pending.merchant_id,
        reason=pending.reason,
    )
    return redirect(authorization["url"], 303)


def pending_connection() -> PendingConnection:
    """Return the connection that this redirect from Big Cartel belongs to.

    Raises ConnectFailedError for a state that is unknown, used, or expired. Nothing else of the redirect is looked at
    before that: anyone can make up a link to this page.
    """
    kept = _kept()
    return PendingConnection(kept["user_id"], kept["merchant_id"], kept["reason"])


def finish() -> Access:
    """Exchange this request's code for access. Uses up the state, even on failure.

    Raises ConnectFailedError. Calls Big Cartel, so don't call this with a database transaction open.
    """
    client, kept = _client(), _kept()
    client.framework.clear_state_data(session, _parameter("state"))
    grant = Grant(_granted_code(), kept["redirect_uri"], kept.get("code_verifier", ""))
    http = token_http(timeout=TIMEOUT, deadline=DEADLINE)
    try:
        return exchange_code(
            http,
            grant,
            token_url=client.access_token_url,
            client_id=client.client_id,
            client_secret=client.client_secret,
        )
    except ServiceError as error:
        failure = _failure_for(error)
        # Clean first: an invisible character within a credential would hide it from redact().
        words = redact(clean(error.words), (client.client_secret, grant.code, grant.code_verifier))
        _log(failure, {"error": str(error), "words": words})
        raise ConnectFailedError(failure, words if failure is Failure.CODE else "") from error


def _client() -> FlaskOAuth2App:
    oauth: OAuth = current_app.extensions["authlib.integrations.flask_client"]
    client: FlaskOAuth2App = getattr(oauth, NAME)
    return client


def _kept() -> dict[str, Any]:
    """Return what begin() kept for this redirect's state. Raises ConnectFailedError if there is nothing."""
    _forget_expired()
    kept = _client().framework.get_state_data(session, _parameter("state"))
    if not isinstance(kept, dict):
        raise ConnectFailedError(Failure.STATE)
    return kept


def _pending_keys() -> list[str]:
    return [key for key in session if key.startswith(f"_state_{NAME}_")]


def _forget_expired() -> None:
    """Drop states after an hour. Authlib notes when they expire, but doesn't check it when it reads them."""
    for key in _pending_keys():
        if session[key]["exp"] <= utc_now().timestamp():
            session.pop(key)


def _forget_oldest(reason: str) -> None:
    """Make room for another connection with this reason."""
    characters = len(reason)
    newest_first = sorted(_pending_keys(), key=lambda key: session[key]["exp"], reverse=True)
    for number, key in enumerate(newest_first, start=2):
        characters += len(session[key]["data"]["reason"])
        if number > MAX_PENDING or characters > MAX_REASONS:
            session.pop(key)


def _parameter(name: str) -> str:
    """Return a parameter of the redirect, or "": each may be there only once (RFC 6749, section 3.1)."""
    values = request.args.getlist(name)
    return values[0] if len(values) == 1 else ""


def _granted_code() -> str:
    """Return the code that came with the redirect. Raises ConnectFailedError if an error came instead.

    Of an error, only a code that RFC 6749 defines is repeated, because the rest could be any text.
    """
    if error := request.args.get("error"):
        known = error if error in _REDIRECT_ERRORS else ""
        log.warning("connect.rejected", extra={"error": known or "an unknown error code"})
        if error == "access_denied":
            raise ConnectFailedError(Failure.DENIED)
        raise ConnectFailedError(Failure.SERVICE_ERROR, known)
    code = _parameter("code")
    if not code:
        raise ConnectFailedError(Failure.SERVICE_ERROR)
    if len(code) > MAX_CODE_LENGTH or not (code.isascii() and code.isprintable()):
        raise ConnectFailedError(Failure.CODE)
    return code


def _log(failure: Failure, fields: dict[str, str]) -> None:
    if failure in {Failure.CODE, Failure.CLIENT}:
        log.warning("connect.rejected", extra=fields)
    elif failure is Failure.UNREACHABLE:
        log.warning("connect.unreachable", extra=fields)
    else:
        log.warning("connect.unreadable", extra=fields)


def _failure_for(error: ServiceError) -> Failure:
    match error:
        case AccountIdMissing():
            return Failure.NO_ACCOUNT
        case Unauthorized():
            return Failure.CLIENT
        case Rejected():
            return Failure.CODE
        case Throttled() | UnexpectedAnswer():
            return Failure.UNREADABLE
        case OutcomeUnknown(exchange=Exchange(status=int(status))) if status >= 400:
            return Failure.UNREADABLE
        case _:
            return Failure.UNREACHABLE
