"""Revoke our access to a Big Cartel account. The rest of OAuth is in ``portal/oauth.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from portal.clients.errors import NotFound, Rejected
from portal.clients.jsonapi import BIG_CARTEL, error_words

if TYPE_CHECKING:
    from portal.clients.http import Http


def deauthorize(http: Http, *, token_url: str, account_id: str, client_id: str, client_secret: str) -> None:
    """Revoke our access to the account. The URL is on the token URL's host (seen in a public client).

    Raises the errors of ``Http.call``, NotFound (404), and Rejected (any other 4xx).
    """
    token = urlsplit(token_url)
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
