"""Exchanging a code for access: what is sent, which answers count, and the limits of an answer."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.bigcartel_oauth import (
    MAX_TOKEN_BYTES,
    Access,
    AccountIdMissing,
    Grant,
    exchange_code,
    read_account_id,
)
from portal.clients.errors import (
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from tests.clients.raw_server import Connection, raw_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http

URL = "https://api.bigcartel.com/oauth/token"
SECRET, CODE, VERIFIER = "the-portals-secret", "the-single-use-code", "the-pkce-verifier"
GRANT = Grant(CODE, "https://portal.example/connect/callback", VERIFIER)
GRANTED = {"access_token": "fresh-token", "account_id": "1000001"}


def _exchange(http: Http, url: str = URL, grant: Grant = GRANT) -> Access:
    return exchange_code(http, grant, token_url=url, client_id="portal", client_secret=SECRET)


def _answered(http: Http, body: str | bytes, status: int = 200) -> Access:
    responses.post(URL, body=body, status=status)
    return _exchange(http)


def _sent() -> str:
    body = responses.calls[0].request.body
    assert isinstance(body, bytes)
    return body.decode()


@responses.activate
def test_request_has_the_code_and_what_the_authorization_request_said(http: Http) -> None:
    assert _answered(http, json.dumps(GRANTED)) == Access("fresh-token", "1000001")
    form = parse_qs(_sent(), strict_parsing=True)
    assert form == {
        "grant_type": ["authorization_code"],
        "code": [CODE],
        "redirect_uri": [GRANT.redirect_uri],
        "client_id": ["portal"],
        "client_secret": [SECRET],
        "code_verifier": [VERIFIER],
    }
    assert responses.calls[0].request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@responses.activate
def test_request_without_a_challenge_has_no_verifier(http: Http) -> None:
    responses.post(URL, json=GRANTED)
    _exchange(http, grant=Grant(CODE, GRANT.redirect_uri, ""))
    assert "code_verifier" not in _sent()


@responses.activate
@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        ('{"error": "invalid_grant", "error_description": "Used"}', 400, Rejected, "invalid_grant: Used"),
        ('{"error": "invalid_grant", "message": "Used"}', 401, Rejected, "invalid_grant: Used"),
        ('{"error": "invalid_grant"}', 200, Rejected, "invalid_grant"),
        ('{"error": {"odd": 1}}', 200, Rejected, ""),
        ('{"errors": [{"title": "No", "detail": "Never"}]}', 422, Rejected, "No: Never"),
        ("<html>", 400, Rejected, ""),
        ('{"error": "not_found"}', 404, Rejected, "not_found"),
        ('{"error": "invalid_client", "message": "Who?"}', 401, Unauthorized, "invalid_client: Who?"),
        ('{"error": "invalid_client"}', 400, Unauthorized, "invalid_client"),
        ('{"error": "unauthorized_client"}', 200, Unauthorized, "unauthorized_client"),
        ("<html>", 401, Unauthorized, ""),
        ("<html>", 403, Unauthorized, ""),
        ("<html>", 404, UnexpectedAnswer, ""),
        ("", 204, UnexpectedAnswer, ""),
        ("", 302, UnexpectedAnswer, ""),
        ("", 429, Throttled, ""),
        ('{"message": "Down"}', 503, OutcomeUnknown, "Down"),
    ],
)
def test_answer_without_access_raises_the_matching_error(
    http: Http, body: str, status: int, kind: type[ServiceError], words: str
) -> None:
    with pytest.raises(ServiceError) as raised:
        _answered(http, body, status)
    assert type(raised.value) is kind
    assert raised.value.words == words
    assert len(responses.calls) == 1, "a code works once, so the request is never repeated"


@responses.activate
@pytest.mark.parametrize("status", [200, 400, 401, 404, 500])
def test_error_tells_no_credential(http: Http, status: int) -> None:
    said = f"No: {SECRET} {CODE} {VERIFIER} access_token=fresh-token"
    with pytest.raises(ServiceError) as raised:
        _answered(http, json.dumps({"error": "odd", "message": said}), status)
    shown = f"{raised.value} {raised.value.words} {raised.value.exchange}"
    assert "•••" in shown
    assert not [secret for secret in (SECRET, CODE, VERIFIER, "fresh-token") if secret in shown]


BAD_TOKENS = [None, 5, "", " ", True, ["t"], {"a": 1}, "töken", "a\nb", "a\0b", "\ud800", "a\u200bb", "t" * 5_000]


@responses.activate
@pytest.mark.parametrize("token", BAD_TOKENS, ids=ascii)
def test_token_that_no_header_can_carry_is_rejected(http: Http, token: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        _answered(http, json.dumps({**GRANTED, "access_token": token}))


GOOD_IDS = [(1000003, "1000003"), ("1000003", "1000003"), (" 1000003 ", "1000003"), ("9" * 20, "9" * 20), (7, "7")]


@responses.activate
@pytest.mark.parametrize(("given_id", "account_id"), GOOD_IDS)
def test_account_id_may_be_a_number_or_text(http: Http, given_id: Any, account_id: str) -> None:
    assert _answered(http, json.dumps({**GRANTED, "account_id": given_id})).account_id == account_id


BAD_IDS = [
    None, "", "0", 0, -5, "-5", "+5", "007", "1e6", "1_000", 1.0, 1e30, True, False, [], ["1"], {"id": 1}, "shop",
    "1000003/orders", "../1", "1 2", "1\x002", "٣", "\uff11\uff10", "²", "9" * 21, 10**20, 10**400, "1\n2",
]  # fmt: skip


@responses.activate
@pytest.mark.parametrize("given_id", BAD_IDS, ids=lambda value: ascii(value)[:20])
def test_anything_else_is_no_account_id(http: Http, given_id: Any) -> None:
    with pytest.raises(AccountIdMissing):
        _answered(http, json.dumps({**GRANTED, "account_id": given_id}))


@given(st.one_of(st.text(), st.integers(), st.from_regex(r"\s*[0-9]{1,22}\s*", fullmatch=True)))
def test_account_id_is_plain_digits_or_nothing(value: object) -> None:
    account_id = read_account_id(value)
    if account_id:
        assert account_id == str(int(account_id)) == str(value).strip()
        assert len(account_id) <= 20
    else:
        assert str(value).strip() not in {str(number) for number in range(1, 100)}


UNREADABLE = {
    "lists": b"[" * 60_000,
    "objects": b'{"a":' * 12_000,
    "a list": b"[1, 2]",
    "html": b"<html><body>Maintenance</body></html>",
    "nothing": b" ",
    "invalid UTF-8": b'{"access_token": "\xff", "account_id": 1}',
    "too many digits": b'{"access_token": "t", "account_id": ' + b"1" * 5_000 + b"}",
    "half a document": json.dumps(GRANTED).encode()[:-4],
    "too long": json.dumps({**GRANTED, "more": "x" * MAX_TOKEN_BYTES}).encode(),
}


@responses.activate
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_answer_is_an_error_of_the_call(make_http: Callable[..., Http], body: bytes, status: int) -> None:
    with pytest.raises(ServiceError):
        _answered(make_http(max_bytes=MAX_TOKEN_BYTES), body, status)


@responses.activate
def test_odd_but_readable_answer_counts(http: Http) -> None:
    body = '{"access_token": "t", "access_token": "fresh-token", "account_id": 1000001, "expires_in": NaN, "more": {}}'
    assert _answered(http, body) == Access("fresh-token", "1000001")


def _sends(head: bytes, chunks: Callable[[Connection], Any]) -> Callable[[Connection], None]:
    def answer(connection: Connection) -> None:
        connection.read_request()
        connection.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n")
        for chunk in chunks(connection):
            connection.peer.sendall(chunk)

    return answer


BOMB = b" " * (8 * 1024 * 1024)


@pytest.mark.parametrize(
    ("encoding", "packed"), [(b"gzip", gzip.compress(BOMB)), (b"deflate", zlib.compress(BOMB))], ids=["gzip", "deflate"]
)
def test_answer_is_not_unpacked_beyond_the_limit(
    make_http: Callable[..., Http], encoding: bytes, packed: bytes
) -> None:
    bomb = _sends(b"Content-Encoding: " + encoding + b"\r\n", lambda _: [packed])
    with raw_server(bomb) as server, pytest.raises(UnexpectedAnswer) as raised:
        _exchange(make_http(max_bytes=MAX_TOKEN_BYTES), server.url)
    assert raised.value.exchange is not None
    assert not raised.value.exchange.answer, "what was unpacked is dropped"


@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n"], ids=["plain", "chunked"])
def test_answer_that_drips_ends_at_the_deadline(make_http: Callable[..., Http], head: bytes) -> None:
    def drip(connection: Connection) -> Any:
        while not connection.server.over.wait(0.02):
            yield b"1\r\n \r\n" if head else b" "

    with raw_server(_sends(head, drip)) as server, pytest.raises(OutcomeUnknown, match=r"longer than 0\.3 seconds"):
        _exchange(make_http(max_bytes=MAX_TOKEN_BYTES, deadline=0.3), server.url)
