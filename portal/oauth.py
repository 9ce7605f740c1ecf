"""Big Cartel's consent through Authlib: off to it with a state of ours, and back with a token or with what failed."""

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
UNFINISHED = 3
"""Connections that one browser may have begun at a time: each needs room in its cookie."""
LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Told:
    """What a person reads: what happened, what it means, what to do."""

    status: int
    title: str
    happened: str
    means: str
    remedy: str


_AGAIN = "Start again. If the same happens once more, tell support what this page says."


class Failure(Enum):
    """Why no store was connected."""

    DENIED = Told(
        200,
        "The store was not connected",
        "Access was not allowed on Big Cartel's page.",
        "Without it no orders can be read, so no store was connected.",
        "If it was not meant so, start again and choose Allow there.",
    )
    REFUSED = Told(
        502,
        "Big Cartel ended the connection",
        "Big Cartel came back with an error instead of its consent.",
        "It gave no access, so no store was connected.",
        _AGAIN,
    )
    STATE = Told(
        400,
        "This return from Big Cartel is not known",
        "It does not belong to a connection that you have begun in this browser within the last hour, or it was used "
        "already.",
        "To keep your account safe it was ignored.",
        "Start again, and finish in the same browser. If you did not begin it yourself, there is nothing to do.",
    )
    CODE = Told(
        400,
        "Big Cartel's code was not accepted",
        "Big Cartel did not accept the code that it had sent here with you.",
        "A code works once and only for a few minutes, so this one is used or expired.",
        "Start again, and choose Allow without a long pause.",
    )
    CLIENT = Told(
        502,
        "Big Cartel does not know this portal",
        "Big Cartel refused the portal's own name or secret.",
        "No store can be connected until whoever runs the portal has mended that. It is not your store's fault.",
        "Tell support what this page says.",
    )
    UNREACHABLE = Told(
        502,
        "Big Cartel did not answer",
        "Big Cartel could not be reached, or took too long to answer.",
        "The access that you allowed has not arrived here, so no store was connected.",
        "Wait a minute, then start again.",
    )
    UNREADABLE = Told(
        502,
        "Big Cartel's answer cannot be read",
        "Big Cartel sent something else than an access token.",
        "That happens while it is being repaired. No store was connected.",
        "Wait a few minutes, then start again.",
    )
    NO_ACCOUNT = Told(
        502,
        "Big Cartel did not say which store it is",
        "Big Cartel's answer has no account id.",
        "Without it nobody can tell which store the access is for, so it was not kept.",
        _AGAIN,
    )
    TAKEN = Told(
        409,
        "This store belongs to another merchant",
        "The store that you chose in Big Cartel is kept here for another merchant.",
        "A store's orders go to one merchant only, so it was not connected to this one.",
        "If you chose the wrong store, log out of Big Cartel and start again. If the store is to move, ask support.",
    )


class FailedError(Exception):
    """No connection came of it; ``words`` are Big Cartel's own, if it had any."""

    def __init__(self, failure: Failure, words: str = "") -> None:
        super().__init__(failure.value.title)
        self.failure = failure
        self.words = " ".join(words.split())[:LONGEST_WORDS]


@dataclass(frozen=True, slots=True)
class Begun:
    """What was kept when the person left for Big Cartel."""

    user_id: int
    merchant_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Access:
    token: str
    account_id: str


def register(app: Flask, settings: Settings) -> None:
    """Make Big Cartel known to this app's Authlib. The state between the two halves is kept in the session."""
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


def begin(begun: Begun, *, redirect_uri: str) -> Response:
    """Off to Big Cartel's consent page."""
    client = _client()
    going = client.create_authorization_url(redirect_uri)
    kept = {"user_id": begun.user_id, "merchant_id": begun.merchant_id, "reason": begun.reason}
    _forget_the_oldest()
    client.save_authorize_data(state=going["state"], redirect_uri=redirect_uri, **kept)
    return redirect(going["url"], 303)


def returned() -> Begun:
    """What the person began who comes back with this request. Raises FailedError for a state that is not ours."""
    kept = _client().framework.get_state_data(session, request.args.get("state"))
    if not isinstance(kept, dict):
        raise FailedError(Failure.STATE)
    return Begun(kept["user_id"], kept["merchant_id"], kept["reason"])


def finish() -> Access:
    """The access that Big Cartel gives for the code of this request. The state is used up, whatever comes of it.

    Raises FailedError. Calls Big Cartel: no transaction may be open.
    """
    client = _client()
    try:
        if not request.args.get("error") and not request.args.get("code"):
            raise FailedError(Failure.REFUSED)
        # A redirect would take the secret elsewhere.
        answer = client.authorize_access_token(allow_redirects=False)
    except OAuthError as error:
        raise _refused(error) from error
    except (Timeout, NoConnection) as error:
        log.warning("connect.unreachable", extra={"error": type(error).__name__})
        raise FailedError(Failure.UNREACHABLE) from error
    except (RequestException, ValueError, TypeError) as error:
        log.warning("connect.unreadable", extra={"error": type(error).__name__})
        raise FailedError(_meaning_of(error)) from error
    finally:
        client.framework.clear_state_data(session, request.args.get("state"))
    return _access(answer)


def _client() -> FlaskOAuth2App:
    oauth: OAuth = current_app.extensions["authlib.integrations.flask_client"]
    client: FlaskOAuth2App = getattr(oauth, NAME)
    return client


def _forget_the_oldest() -> None:
    begun = [key for key in session if key.startswith(f"_state_{NAME}_")]
    begun.sort(key=lambda key: session[key]["exp"], reverse=True)
    for key in begun[UNFINISHED - 1 :]:
        session.pop(key)


def _refused(error: OAuthError) -> FailedError:
    """``error`` is Big Cartel's word, on its way back with the person or from its token endpoint."""
    log.warning("connect.refused", extra={"error": str(error.error)[:LONGEST_WORDS]})
    if request.args.get("error"):
        is_denied = error.error == "access_denied"
        return FailedError(Failure.DENIED) if is_denied else FailedError(Failure.REFUSED, _words(error))
    if error.error in ("invalid_client", "unauthorized_client"):
        return FailedError(Failure.CLIENT)
    return FailedError(Failure.CODE, _words(error))


def _words(error: OAuthError) -> str:
    said = error.description or error.error
    return said if isinstance(said, str) else ""


def _meaning_of(error: Exception) -> Failure:
    status = error.response.status_code if isinstance(error, HTTPError) and error.response is not None else 0
    if status in {401, 403}:
        return Failure.CLIENT
    return Failure.CODE if status in {400, 422} else Failure.UNREADABLE


def _access(answer: Mapping[str, Any]) -> Access:
    token, account_id = answer.get("access_token"), answer.get("account_id")
    if not isinstance(token, str) or not token.strip() or not (token.isascii() and token.isprintable()):
        raise FailedError(Failure.UNREADABLE)
    if isinstance(account_id, int) and not isinstance(account_id, bool):
        account_id = str(account_id)
    if not isinstance(account_id, str) or not account_id.strip() or not (account_id.isascii() and len(account_id) < 65):
        raise FailedError(Failure.NO_ACCOUNT)
    return Access(token.strip(), account_id.strip())
