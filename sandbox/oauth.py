"""Big Cartel's OAuth: the consent page, single-use codes, access tokens and deauthorization.

PKCE is checked if the app sends a challenge; other unknown parameters are ignored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from sandbox.layout import html_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.world import BigCartelWorld, OAuthClient


@dataclass(frozen=True, slots=True)
class _Code:
    client_id: str
    account_id: str
    redirect_uri: str
    challenge: str
    expires: float


class OAuth:
    """The OAuth endpoints. Unused codes are lost when the process ends."""

    def __init__(self, world: BigCartelWorld) -> None:
        self._world = world
        self._codes: dict[str, _Code] = {}

    def clear(self) -> None:
        self._codes.clear()

    def consent(self, query: Mapping[str, str]) -> web.Response:
        """Return the page that asks the store owner for consent. An invalid request shows an error, not a redirect."""
        client, problem = self._client(query)
        if client is None:
            return html_page(
                "Store access", f"<h1>Invalid authorization request</h1><p>{escape(problem)}</p>", status=400
            )
        accounts = "".join(
            f'<option value="{escape(account.id)}">{escape(account.name)} ({escape(account.id)})</option>'
            for account in self._world.accounts.values()
        )
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">'
            for name in (
                "client_id",
                "response_type",
                "redirect_uri",
                "state",
                "code_challenge",
                "code_challenge_method",
            )
            if name in query
        )
        return html_page(
            "Store access",
            f"<h1>Allow {escape(client.id)} to access your store?</h1>"
            "<p>The app will be able to read your orders and products and mark orders as shipped.</p>"
            f'<form method="post" action="/oauth/authorize">{hidden}'
            f'<p><label>Store <select name="account">{accounts}</select></label></p>'
            '<p><button name="decision" value="allow">Allow</button> '
            '<button name="decision" value="deny" class="quiet">Deny</button></p></form>',
        )

    def decide(self, form: Mapping[str, str]) -> web.Response:
        client, problem = self._client(form)
        if client is None:
            return html_page(
                "Store access", f"<h1>Invalid authorization request</h1><p>{escape(problem)}</p>", status=400
            )
        redirect_uri = form.get("redirect_uri") or client.redirect_uris[0]
        answer = {"state": form["state"]} if "state" in form else {}
        account_id = form.get("account", "")
        if form.get("decision") == "allow" and account_id in self._world.accounts:
            code = secrets.token_urlsafe(24)
            expires = time.time() + client.code_seconds
            self._codes[code] = _Code(client.id, account_id, redirect_uri, form.get("code_challenge", ""), expires)
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
            answer["error_description"] = "The store owner denied access."
        joint = "&" if urlsplit(redirect_uri).query else "?"
        return web.Response(status=302, headers={"Location": f"{redirect_uri}{joint}{urlencode(answer)}"})

    def _client(self, query: Mapping[str, str]) -> tuple[OAuthClient | None, str]:
        client = self._world.clients.get(query.get("client_id", ""))
        if client is None:
            return None, "Unknown client_id."
        if query.get("response_type", "code") != "code":
            return None, "response_type must be code."
        if "code_challenge" in query and query.get("code_challenge_method") != "S256":
            return None, "code_challenge_method must be S256."
        redirect_uri = query.get("redirect_uri", "")
        if not redirect_uri and not client.redirect_uris:
            return None, "redirect_uri is missing."
        if redirect_uri and client.redirect_uris and redirect_uri not in client.redirect_uris:
            return None, "This redirect_uri is not registered for the app."
        return client, ""

    def token(self, body: bytes) -> web.Response:
        """Exchange a code for an access token. A code works once, even if the exchange fails."""
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        client = self._world.clients.get(form.get("client_id", ""))
        if client is None or not secrets.compare_digest(client.secret.encode(), form.get("client_secret", "").encode()):
            return _error(401, "invalid_client", "The client_id or client_secret is wrong.")
        code = self._codes.pop(form.get("code", ""), None)
        account = self._world.accounts.get(code.account_id) if code else None
        if code is None or account is None or code.client_id != client.id or code.expires < time.time():
            return _error(400, "invalid_grant", "The code is unknown, already used or expired.")
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            return _error(400, "invalid_grant", "The redirect_uri doesn't match the one the code was issued for.")
        if code.challenge and _challenge(form.get("code_verifier", "")) != code.challenge:
            return _error(400, "invalid_grant", "The code_verifier doesn't match the code_challenge.")
        if form.get("grant_type", "authorization_code") != "authorization_code":
            return _error(400, "unsupported_grant_type", "grant_type must be authorization_code.")
        token = secrets.token_urlsafe(24)
        account.tokens.append(token)
        return web.json_response({"access_token": token, "account_id": account.id})

    def deauthorize(self, account_id: str, authorization: str) -> web.Response:
        """Revoke every token of the account. Answers 204 even if there was none."""
        client = self._world.clients.get(_basic(authorization)[0])
        if client is None or _basic(authorization)[1] != client.secret:
            return _error(401, "invalid_client", "The client_id or client_secret is wrong.")
        account = self._world.accounts.get(account_id)
        if account is None:
            return _error(404, "not_found", f"There is no account {account_id}.")
        account.tokens.clear()
        return web.Response(status=204)


def _error(status: int, error: str, message: str) -> web.Response:
    return web.json_response({"error": error, "message": message}, status=status)


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
