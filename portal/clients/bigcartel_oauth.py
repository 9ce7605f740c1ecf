"""Big Cartel's OAuth calls: exchange a code for access to an account, and revoke that access."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from portal.clients.errors import NotFound, Rejected, Unauthorized, UnexpectedAnswer
from portal.clients.failures import rejected, unauthorized
from portal.clients.http import Http
from portal.clients.jsonapi import BIG_CARTEL, error_words, parse_json, unreadable_answer
from portal.clients.tally import big_cartel_call

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TOKEN_BYTES = 64 * 1024
"""An answer with a token has a few hundred bytes."""
MAX_TOKEN_LENGTH = 4_096
"""Every call sends the token in a header, and servers refuse longer ones."""
_ACCOUNT_ID = re.compile(r"[1-9][0-9]{0,19}")
_BAD_CODE = "invalid_grant"
_BAD_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
"""Error codes about the portal's own ID and secret; all codes are in RFC 6749, section 5.2."""


@dataclass(frozen=True, slots=True)
class Access:
    """What Big Cartel granted."""

    token: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token request presents: the code, and what the authorization request said about it.

    ``code_verifier`` is PKCE's (RFC 7636), or "" if the authorization request had no challenge.
    """

    code: str
    redirect_uri: str
    code_verifier: str


class AccountIdMissing(UnexpectedAnswer):
    """The answer has a token, but no account ID that we know."""


def token_http(*, timeout: tuple[float, float], deadline: float) -> Http:
    """Return an Http for the exchange of a code. The times are in seconds; a person is waiting."""
    return Http(BIG_CARTEL, max_bytes=MAX_TOKEN_BYTES, timeout=timeout, deadline=deadline)


def exchange_code(http: Http, grant: Grant, *, token_url: str, client_id: str, client_secret: str) -> Access:
    """Exchange a code for access.

    Raises the errors of ``Http.call``, Unauthorized (Big Cartel rejects the portal's own ID or secret), Rejected (it
    rejects the code; ``words`` is its message, without the secret, the code and the verifier), AccountIdMissing, and
    UnexpectedAnswer.
    """
    form = {
        "grant_type": "authorization_code",
        "code": grant.code,
        "redirect_uri": grant.redirect_uri,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    if grant.code_verifier:
        form["code_verifier"] = grant.code_verifier
    with big_cartel_call("token"):
        try:
            answer = http.call(
                "POST",
                token_url,
                headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
                data=urlencode(form).encode(),
                secrets=(client_secret, grant.code, grant.code_verifier),
                words=_words,
            )
        except Unauthorized as error:
            if _code(error.words) == _BAD_CODE:  # older OAuth servers answer 401 for that, too
                raise rejected(BIG_CARTEL, "", words=error.words, exchange=error.exchange) from error
            raise
        if answer.status < 400:
            document = parse_json(answer.body)
            if "error" not in document:
                return _read_access(document)
        words = answer.redacted(_words(answer.body))
        if _code(words) in _BAD_CLIENT:
            raise unauthorized(BIG_CARTEL, "", words=words, exchange=answer.exchange)
        if words or answer.status <= 400 or answer.status == 422:
            raise rejected(BIG_CARTEL, "", words=words, exchange=answer.exchange)
        raise unreadable_answer(f"HTTP {answer.status}", answer.exchange)


def deauthorize(http: Http, *, token_url: str, account_id: str, client_id: str, client_secret: str) -> None:
    """Revoke our access to the account. The URL is on the token URL's host (seen in a public client).

    Big Cartel knows no way to revoke one token: the call names the account and the app, so it ends the access of
    whoever connected this account here. Never call it for a token that another merchant's store may depend on.

    Raises the errors of ``Http.call``, NotFound (404), and Rejected (any other 4xx).
    """
    token = urlsplit(token_url)
    with big_cartel_call("deauthorize"):
        answer = http.call(
            "POST",
            f"{token.scheme}://{token.netloc}/oauth/deauthorize/{quote(account_id, safe='')}",
            headers={"Accept": "application/json"},
            data=b"",
            auth=(client_id, client_secret),
            secrets=(client_secret,),
            words=error_words,
        )
        if answer.status < 300:
            return
        kind = NotFound if answer.status == 404 else Rejected
        raise kind(
            f"{BIG_CARTEL} didn't revoke our access (HTTP {answer.status}).",
            service=BIG_CARTEL,
            words=answer.redacted(error_words(answer.body)),
            exchange=answer.exchange,
        )


def read_account_id(value: object) -> str:
    """Return an account ID that was sent as a number or as text; "" for anything but 1 to 20 digits.

    ASSUMED: every ID seen in use is a plain number. A leading zero could make two stores out of one, so it is no ID.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**20:
        return str(value)
    text = value.strip() if isinstance(value, str) else ""
    return text if _ACCOUNT_ID.fullmatch(text) else ""


def _read_access(document: Mapping[str, object]) -> Access:
    token = document.get("access_token")
    token = token.strip() if isinstance(token, str) else ""
    if not 0 < len(token) <= MAX_TOKEN_LENGTH or not (token.isascii() and token.isprintable()):
        raise unreadable_answer("no access token")
    account_id = read_account_id(document.get("account_id"))
    if not account_id:
        raise AccountIdMissing(f"{BIG_CARTEL} sent an access token without an account ID.", service=BIG_CARTEL)
    return Access(token, account_id)


def _code(words: str) -> str:
    return words.partition(":")[0]


def _words(body: bytes) -> str:
    """Return what an OAuth error answer says, as "code: sentence"; "" without readable text. Never raises.

    RFC 6749 names the sentence ``error_description``; Big Cartel's answers in use have ``message``.
    """
    try:
        answer = parse_json(body)
    except UnexpectedAnswer:
        return ""
    said = [answer[key] for key in ("error", "error_description", "message") if isinstance(answer.get(key), str)]
    return ": ".join(dict.fromkeys(said)) or error_words(body)
