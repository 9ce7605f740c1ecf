"""Big Cartel's OAuth consent flow, through Authlib: the redirect there, and the token or failure that comes back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import current_app, redirect, request, session
from requests import ConnectionError as NoConnection
from requests import HTTPError, RequestException, Timeout

from portal.clients.http import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authlib.integrations.flask_client import FlaskOAuth2App
    from flask import Flask
    from werkzeug.wrappers import Response

    from config import Settings

log = logging.getLogger(__name__)

NAME = "bigcartel"
TIMEOUT = (5.0, 15.0)
MAX_PENDING = 3
"""Unfinished connections kept per browser: each takes room in the session cookie."""
MAX_WORDS_LENGTH = 200


@dataclass(frozen=True, slots=True)
class FailureText:
    """The failure page's text: what happened, what it means, what to do."""

    status: int
    title: str
    happened: str
    means: str
    remedy: str


_RETRY = "Connect the store again. If it fails the same way, tell support what this page says."


class Failure(Enum):
    """Why no store was connected."""

    DENIED = FailureText(
        200,
        "Access not allowed",
        "You didn't allow access on Big Cartel's page.",
        "Without it we can't sync the store's orders, so the store wasn't connected.",
        "If you meant to allow it, connect the store again and choose Allow.",
    )
    SERVICE_ERROR = FailureText(
        502,
        "Big Cartel returned an error",
        "Big Cartel sent an error instead of granting access.",
        "Without access we can't sync the store's orders, so the store wasn't connected.",
        _RETRY,
    )
    STATE = FailureText(
        400,
        "Link no longer valid",
        "This link from Big Cartel was already used, or you didn't start connecting in this browser within the last "
        "hour.",
        "To keep your account safe, we ignored it.",
        "Connect the store again, and finish in the same browser. If you didn't start this, ignore it.",
    )
    CODE = FailureText(
        400,
        "Authorization code rejected",
        "Big Cartel rejected the authorization code it sent with you.",
        "A code works once and only for a few minutes, so this one was probably used or expired.",
        "Connect the store again, and choose Allow within a few minutes.",
    )
    CLIENT = FailureText(
        502,
        "Portal rejected by Big Cartel",
        "Big Cartel rejected this portal's own client ID or secret.",
        "Nothing is wrong with your store, but no store can be connected until the portal's operator fixes this.",
        "Tell support what this page says.",
    )
    UNREACHABLE = FailureText(
        502,
        "Couldn't reach Big Cartel",
        "We couldn't reach Big Cartel, or it timed out.",
        "We didn't receive the access you allowed, so the store wasn't connected.",
        "Wait a minute, then connect the store again.",
    )
    UNREADABLE = FailureText(
        502,
        "Unreadable answer from Big Cartel",
        "Big Cartel sent an answer we couldn't read instead of an access token.",
        "This can happen while Big Cartel is down for maintenance. The store wasn't connected.",
        "Wait a few minutes, then connect the store again.",
    )
    NO_ACCOUNT = FailureText(
        502,
        "Account ID missing",
        "Big Cartel's answer has no account ID.",
        "Without it we can't tell which store the access is for, so the store wasn't connected.",
        _RETRY,
    )
    TAKEN = FailureText(
        409,
        "Store belongs to another merchant",
        "The store you chose in Big Cartel already belongs to another merchant here.",
        "A store's orders go to only one merchant, so it wasn't connected to this one.",
        "If you chose the wrong store, log out of Big Cartel and connect again. To move the store, ask support.",
    )


class ConnectFailedError(Exception):
    """The store was not connected; ``words`` is what Big Cartel said, or ""."""

    def __init__(self, failure: Failure, words: str = "") -> None:
        super().__init__(failure.value.title)
        self.failure = failure
        self.words = " ".join(words.split())[:MAX_WORDS_LENGTH]


@dataclass(frozen=True, slots=True)
class PendingConnection:
    """What the session keeps while the person is at Big Cartel."""

    user_id: int
    merchant_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Access:
    token: str
    account_id: str


def register(app: Flask, settings: Settings) -> None:
    """Register Big Cartel with the app's Authlib, which keeps the OAuth state in the session."""
    OAuth(app).register(
        NAME,
        client_id=settings.bigcartel_client_id,
        client_secret=settings.bigcartel_client_secret,
        authorize_url=settings.bigcartel_authorize_url,
        access_token_url=settings.bigcartel_token_url,
        client_kwargs={
            "token_endpoint_auth_method": "client_secret_post",
            "default_timeout": TIMEOUT,
            "trust_env": False,
        },
        user_agent=USER_AGENT,
    )


def begin(pending: PendingConnection, *, redirect_uri: str) -> Response:
    """Redirect to Big Cartel's consent page."""
    client = _client()
    authorization = client.create_authorization_url(redirect_uri)
    pending_data = {"user_id": pending.user_id, "merchant_id": pending.merchant_id, "reason": pending.reason}
    _forget_oldest()
    client.save_authorize_data(state=authorization["state"], redirect_uri=redirect_uri, **pending_data)
    return redirect(authorization["url"], 303)


def pending_connection() -> PendingConnection:
    """Return the connection that this redirect from Big Cartel belongs to.

    Raises ConnectFailedError for an unknown state.
    """
    pending_data = _client().framework.get_state_data(session, request.args.get("state"))
    if not isinstance(pending_data, dict):
        raise ConnectFailedError(Failure.STATE)
    return PendingConnection(pending_data["user_id"], pending_data["merchant_id"], pending_data["reason"])


def finish() -> Access:
    """Exchange this request's code for access. Uses up the state, even on failure.

    Raises ConnectFailedError. Calls Big Cartel, so don't call this with a database transaction open.
    """
    client = _client()
    try:
        if not request.args.get("error") and not request.args.get("code"):
            raise ConnectFailedError(Failure.SERVICE_ERROR)
        # Following a redirect could send the client secret to another host.
        answer = client.authorize_access_token(allow_redirects=False)
    except OAuthError as error:
        raise _rejected(error) from error
    except (Timeout, NoConnection) as error:
        log.warning("connect.unreachable", extra={"error": type(error).__name__})
        raise ConnectFailedError(Failure.UNREACHABLE) from error
    except (RequestException, ValueError, TypeError) as error:
        log.warning("connect.unreadable", extra={"error": type(error).__name__})
        raise ConnectFailedError(_failure_for(error)) from error
    finally:
        client.framework.clear_state_data(session, request.args.get("state"))
    return _access(answer)


def _client() -> FlaskOAuth2App:
    oauth: OAuth = current_app.extensions["authlib.integrations.flask_client"]
    client: FlaskOAuth2App = getattr(oauth, NAME)
    return client


def _forget_oldest() -> None:
    pending = [key for key in session if key.startswith(f"_state_{NAME}_")]
    pending.sort(key=lambda key: session[key]["exp"], reverse=True)
    for key in pending[MAX_PENDING - 1 :]:
        session.pop(key)


def _rejected(error: OAuthError) -> ConnectFailedError:
    """Map an OAuth error, from the redirect back or from the token endpoint, to a failure."""
    log.warning("connect.rejected", extra={"error": str(error.error)[:MAX_WORDS_LENGTH]})
    if request.args.get("error"):
        is_denied = error.error == "access_denied"
        return (
            ConnectFailedError(Failure.DENIED)
            if is_denied
            else ConnectFailedError(Failure.SERVICE_ERROR, _words(error))
        )
    if error.error in ("invalid_client", "unauthorized_client"):
        return ConnectFailedError(Failure.CLIENT)
    return ConnectFailedError(Failure.CODE, _words(error))


def _words(error: OAuthError) -> str:
    said = error.description or error.error
    return said if isinstance(said, str) else ""


def _failure_for(error: Exception) -> Failure:
    status = error.response.status_code if isinstance(error, HTTPError) and error.response is not None else 0
    if status in {401, 403}:
        return Failure.CLIENT
    return Failure.CODE if status in {400, 422} else Failure.UNREADABLE


def _access(answer: Mapping[str, Any]) -> Access:
    token, account_id = answer.get("access_token"), answer.get("account_id")
    if not isinstance(token, str) or not token.strip() or not (token.isascii() and token.isprintable()):
        raise ConnectFailedError(Failure.UNREADABLE)
    if isinstance(account_id, int) and not isinstance(account_id, bool):
        account_id = str(account_id)
    if not isinstance(account_id, str) or not account_id.strip() or not (account_id.isascii() and len(account_id) < 65):
        raise ConnectFailedError(Failure.NO_ACCOUNT)
    return Access(token.strip(), account_id.strip())
