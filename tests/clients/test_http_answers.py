"""Http statuses, retries, and the records of an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
import responses

from portal.clients.errors import (
    NotSent,
    OutcomeUnknown,
    ServiceError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.clients.http import EXCHANGE_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.clients.http import Http

URL = "https://store.example.com/orders/"
NOW = 1_795_460_400.0  # Mon, 23 Nov 2026 19:00:00 GMT


@responses.activate
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, UnexpectedAnswer),
        (302, UnexpectedAnswer),
        (307, UnexpectedAnswer),
        (401, Unauthorized),
        (403, Unauthorized),
        (408, OutcomeUnknown),
        (429, Throttled),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, OutcomeUnknown),
        (504, OutcomeUnknown),
        (599, OutcomeUnknown),
    ],
)
def test_decisive_status_raises_the_matching_error(http: Http, status: int, expected: type[ServiceError]) -> None:
    responses.add("POST", URL, status=status, body="their explanation")
    with pytest.raises(expected) as caught:
        http.call("POST", URL, data=b"x", words=lambda body: body.decode())
    assert type(caught.value) is expected
    assert caught.value.words == "their explanation"
    assert caught.value.exchange is not None
    assert caught.value.exchange.status == status
    assert caught.value.exchange.answer == "their explanation"
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("status", [200, 201, 204, 400, 402, 404, 406, 409, 422])
def test_other_statuses_are_returned_to_the_caller(http: Http, status: int) -> None:
    responses.add("POST", URL, status=status, body="" if status == 204 else "body", headers={"X-Id": "7"})
    answer = http.call("POST", URL, data=b"x")
    assert (answer.status, answer.headers["x-id"]) == (status, "7")


@responses.activate
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 19:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 18:00:00 GMT", 0.0),
        ("99999999999999999999", 86_400.0),
        ("9" * 5000, 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_throttled_carries_retry_after(
    make_http: Callable[..., Http], header: str | None, seconds: float | None
) -> None:
    responses.add("POST", URL, status=429, headers={} if header is None else {"Retry-After": header})
    with pytest.raises(Throttled) as caught:
        make_http(now=lambda: NOW).call("POST", URL, data=b"x")
    assert caught.value.retry_after == seconds


@responses.activate
@pytest.mark.parametrize(
    ("status", "header", "waits"),
    [
        (429, "2", [2.0, 2.0]),
        (429, "5", [5.0, 5.0]),
        (429, "6", []),
        (429, None, []),
        (503, "1", [1.0, 1.0]),
        (503, "3600", []),
        (500, None, []),
    ],
)
def test_get_honors_a_short_retry_after_only(
    http: Http, pauses: list[float], status: int, header: str | None, waits: list[float]
) -> None:
    responses.add("GET", URL, status=status, headers={} if header is None else {"Retry-After": header})
    with pytest.raises(ServiceError):
        http.call("GET", URL)
    assert pauses == waits


@responses.activate
@pytest.mark.parametrize("status", [502, 503, 504])
def test_get_is_retried_after_a_temporary_server_error(http: Http, status: int) -> None:
    responses.add("GET", URL, status=status)
    responses.add("GET", URL, status=status)
    responses.add("GET", URL, body="there")
    assert http.call("GET", URL).body == b"there"


@responses.activate
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("header", [{}, {"Retry-After": "1"}])
def test_write_is_never_retried_after_a_server_error(
    http: Http, pauses: list[float], method: str, header: dict[str, str]
) -> None:
    responses.add(method, URL, status=503, headers=header)
    with pytest.raises(OutcomeUnknown):
        http.call(method, URL, data=b"x")
    assert not pauses


@responses.activate
def test_retries_stop_at_the_deadline(make_http: Callable[..., Http], pauses: list[float]) -> None:
    responses.add("GET", URL, status=503, headers={"Retry-After": "5"})
    with pytest.raises(OutcomeUnknown):
        make_http(deadline=4.0).call("GET", URL)
    assert not pauses


@responses.activate
def test_connect_timeout_means_not_sent(http: Http) -> None:
    responses.add("POST", URL, body=requests.ConnectTimeout("timed out"))
    with pytest.raises(NotSent, match="timed out after 1 seconds"):
        http.call("POST", URL, data=b"x")
    assert len(responses.calls) == 1


@responses.activate
def test_size_limit_applies_to_a_short_answer(make_http: Callable[..., Http]) -> None:
    responses.add("POST", URL, body="eleven byte", auto_calculate_content_length=True)
    assert make_http(max_bytes=11).call("POST", URL, data=b"x").body == b"eleven byte"
    with pytest.raises(UnexpectedAnswer):
        make_http(max_bytes=10).call("POST", URL, data=b"x")


@responses.activate
def test_parameters_and_basic_credentials_are_sent(http: Http) -> None:
    responses.add(
        "GET",
        URL,
        match=[
            responses.matchers.query_param_matcher({"page[limit]": "50", "q": "a b&c"}),
            responses.matchers.header_matcher({"Authorization": "Basic aWQ6c2VjcmV0"}),
        ],
        body="fine",
    )
    assert http.call("GET", URL, params={"page[limit]": "50", "q": "a b&c"}, auth=("id", "secret")).status == 200


@responses.activate
def test_secrets_are_redacted_in_the_exchange_in_any_encoding(make_http: Callable[..., Http]) -> None:
    http = make_http(secrets=('t<"k&n',))
    responses.add("POST", URL, status=400, body='{"said": "t<\\"k&n", "xml": "t&lt;&quot;k&amp;n", "also": "other"}')
    answer = http.call("POST", URL, data=b'<T>t&lt;"k&amp;n</T>', secrets=("other",))
    assert answer.exchange.request == "<T>•••</T>"
    assert answer.exchange.answer == '{"said": "•••", "xml": "•••", "also": "•••"}'
    assert answer.exchange.status == 400
    assert answer.redacted('say  t<"k&n\n twice') == "say ••• twice"


@responses.activate
def test_truncated_exchange_does_not_end_in_half_a_secret(make_http: Callable[..., Http]) -> None:
    secret = "tok3n" * 8
    http = make_http(secrets=(secret,))
    for before in range(EXCHANGE_CHARS - 45, EXCHANGE_CHARS + 5, 7):
        body = secret + "." * before + secret + "after" * 100
        responses.upsert("POST", URL, body=body)
        text = http.call("POST", URL, data=b"x").exchange.answer
        assert "tok3n" not in text
        assert len(text) <= EXCHANGE_CHARS


@responses.activate
@pytest.mark.parametrize("body", [b"a\0b", b"\xff\xfeab", "tok3n".encode("utf-16"), b"\xed\xa0\x80"])
def test_exchange_is_text_that_a_database_accepts(make_http: Callable[..., Http], body: bytes) -> None:
    responses.add("POST", URL, body=body)
    text = make_http(secrets=("tok3n",)).call("POST", URL, data=b"x").exchange.answer
    assert "\0" not in text
    assert "tok3n" not in text
    text.encode()


@responses.activate
@pytest.mark.parametrize("status", [200, 404, 429, 401])
def test_any_answer_keeps_the_circuit_closed(http: Http, status: int) -> None:
    for _ in range(4):
        responses.add("POST", URL, status=500)
    responses.add("POST", URL, status=status, body="x")
    responses.add("POST", URL, status=500)
    responses.add("POST", URL, body="still let through")
    for _ in range(6):
        try:
            http.call("POST", URL, data=b"x")
        except ServiceError:
            continue
    assert http.call("POST", URL, data=b"x").body == b"still let through"
