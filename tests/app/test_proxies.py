"""Rate limits count a client by its own address: a proxy's word for it counts only if the proxy is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal import create_app
from portal.proxies import TrustedProxies
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

LOCAL = "127.0.0.1/32, ::1/128"
INNER = f"{LOCAL}, 10.0.0.0/8"
CLIENT, OTHER = "203.0.113.7", "198.51.100.9"


def seen(peer: str, networks: str = LOCAL, **headers: str) -> tuple[str, str]:
    """Return the address and the scheme that the app sees."""
    found: list[tuple[str, str]] = []

    def app(environ: WSGIEnvironment, _: StartResponse) -> Iterable[bytes]:
        found.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    environ: WSGIEnvironment = {"REMOTE_ADDR": peer, **{f"HTTP_X_FORWARDED_{name}": headers[name] for name in headers}}
    setup_testing_defaults(environ)
    TrustedProxies(app, networks)(environ, lambda *_: lambda _: None)
    return found[0]


@pytest.mark.parametrize("peer", [CLIENT, "10.0.0.1", "::2", "127.0.0.2", "::ffff:203.0.113.7", "garbage", "localhost"])
def test_nobody_else_is_believed(peer: str) -> None:
    assert seen(peer, FOR=OTHER, PROTO="https") == (peer, "http")
    assert seen("127.0.0.1", "", FOR=OTHER, PROTO="https") == ("127.0.0.1", "http")


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_trusted_proxy_is_believed(peer: str) -> None:
    assert seen(peer, FOR=CLIENT, PROTO="https") == (CLIENT, "https")
    assert seen(peer) == (peer, "http")


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (f"{OTHER}, {CLIENT}", CLIENT),
        (f"{OTHER},{CLIENT}, 10.0.0.2,10.1.2.3", CLIENT),
        (f"{OTHER}, 10.0.0.2", OTHER),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (f"127.0.0.1, {CLIENT}", CLIENT),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:203.0.113.7", CLIENT),
        (f"{OTHER}:1, {CLIENT}:51234", CLIENT),
        (f"{CLIENT}:51234, 10.0.0.2:443", CLIENT),
        ("[2001:db8::1]:51234", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        (f"{OTHER}, [2001:db8::1", "127.0.0.1"),
        (f"{OTHER}, {CLIENT}:", "127.0.0.1"),
        (f"{CLIENT}, unknown", "127.0.0.1"),
        (f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2"),
        (f"{CLIENT},", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("1.2.3", "127.0.0.1"),
    ],
)
def test_last_address_that_is_not_a_trusted_proxy_counts(forwarded_for: str, client: str) -> None:
    assert seen("127.0.0.1", INNER, FOR=forwarded_for)[0] == client


@pytest.mark.parametrize(("given", "scheme"), [("HTTPS", "https"), ("http, https", "https"), ("gopher", "http")])
def test_scheme_is_the_nearest_proxys(given: str, scheme: str) -> None:
    assert seen("127.0.0.1", PROTO=given)[1] == scheme


@given(st.text())
@example(f"{OTHER}, {CLIENT}")
def test_client_cannot_change_what_the_proxy_appended(made_up: str) -> None:
    assert seen("127.0.0.1", INNER, FOR=f"{made_up}, {CLIENT}")[0] == CLIENT
    assert seen(CLIENT, INNER, FOR=made_up, PROTO=made_up) == (CLIENT, "http")


@pytest.mark.parametrize(("peer", "limited"), [(CLIENT, True), ("127.0.0.1", False)])
def test_forged_header_does_not_escape_the_limit(sqlite_url: str, redis_url: str, peer: str, limited: bool) -> None:
    """Thirty attempts to log in are allowed per minute; each comes with another address in the header.

    At least 35 of them fall into the same minute.
    """
    app = create_app(settings_for(sqlite_url, REDIS_URL=redis_url))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answers = [
        client.post(
            "/log-in",
            data={"email": f"{number}@example.com"},
            environ_base={"REMOTE_ADDR": peer},
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        ).status_code
        for number in range(1, 70)
    ]
    assert (429 in answers) is limited
