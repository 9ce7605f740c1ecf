"""Giving Big Cartel an access back."""

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
ADDRESS = "https://api.bigcartel.com/oauth/deauthorize/1000001"
SECRET = "the-portals-secret"


@pytest.fixture
def give_back(make_http: Callable[..., Http]) -> Callable[[], None]:
    http = make_http(service="Big Cartel")
    return lambda: deauthorize(
        http, token_url=TOKEN_URL, account_id="1000001", client_id="portal", client_secret=SECRET
    )


@responses.activate
def test_it_is_asked_with_the_portals_name_and_secret(give_back: Callable[[], None]) -> None:
    responses.post(ADDRESS, status=204)
    give_back()
    request = responses.calls[0].request
    assert request.headers["Authorization"] == _basic_auth_str("portal", SECRET)
    assert not request.body


@responses.activate
def test_the_account_id_stays_one_part_of_the_address(make_http: Callable[..., Http]) -> None:
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
def test_a_no_is_named(give_back: Callable[[], None], status: int, kind: type[ServiceError]) -> None:
    responses.post(ADDRESS, status=status, json={"error": "odd", "message": f"No, {SECRET}"})
    with pytest.raises(kind) as raised:
        give_back()
    assert SECRET not in f"{raised.value} {raised.value.words} {raised.value.exchange}"


@responses.activate
def test_it_is_not_sent_twice(give_back: Callable[[], None]) -> None:
    responses.post(ADDRESS, body=NoConnection("reset"))
    with pytest.raises(ServiceError):
        give_back()
    assert len(responses.calls) == 1
