"""Revoking our access to a Big Cartel account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses
from requests import ConnectionError as NoConnection
from requests.auth import _basic_auth_str

from portal.clients.bigcartel_oauth import deauthorize
from portal.clients.errors import NotFound, OutcomeUnknown, Rejected, ServiceError, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http

TOKEN_URL = "https://api.bigcartel.com/oauth/token"
REVOKE_URL = "https://api.bigcartel.com/oauth/deauthorize/1000001"
SECRET = "the-portals-secret"


@pytest.fixture
def revoke(make_http: Callable[..., Http]) -> Callable[[], None]:
    http = make_http(service="Big Cartel")
    return lambda: deauthorize(
        http, token_url=TOKEN_URL, account_id="1000001", client_id="portal", client_secret=SECRET
    )


@responses.activate
def test_request_authenticates_with_the_portals_id_and_secret(revoke: Callable[[], None]) -> None:
    responses.post(REVOKE_URL, status=204)
    revoke()
    request = responses.calls[0].request
    assert request.headers["Authorization"] == _basic_auth_str("portal", SECRET)
    assert not request.body


@responses.activate
def test_account_id_cannot_change_the_path(make_http: Callable[..., Http]) -> None:
    responses.post("https://api.bigcartel.com/oauth/deauthorize/..%2Ftoken%3F", status=204)
    deauthorize(make_http(), token_url=TOKEN_URL, account_id="../token?", client_id="portal", client_secret=SECRET)


@responses.activate
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (404, NotFound),
        (400, Rejected),
        (422, Rejected),
        (500, OutcomeUnknown),
        (302, OutcomeUnknown),
    ],
)
def test_error_status_raises_the_matching_error_without_the_secret(
    revoke: Callable[[], None], status: int, kind: type[ServiceError]
) -> None:
    responses.post(REVOKE_URL, status=status, json={"error": "odd", "message": f"No, {SECRET}"})
    with pytest.raises(kind) as raised:
        revoke()
    assert SECRET not in f"{raised.value} {raised.value.words} {raised.value.exchange}"


@responses.activate
def test_request_is_not_retried(revoke: Callable[[], None]) -> None:
    responses.post(REVOKE_URL, body=NoConnection("reset"))
    with pytest.raises(ServiceError):
        revoke()
    assert len(responses.calls) == 1
