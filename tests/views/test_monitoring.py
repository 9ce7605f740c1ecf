"""/metrics and /readyz answer to the token and to the configured networks only; /healthz answers everybody."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults

import pytest

from portal.metrics.access import FORWARDED, may_monitor
from portal.proxies import TrustedProxies
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.dashboard_world import Clients

TOKEN = "t0ken-for-prometheus"
PATHS = ("/metrics", "/readyz")
STRANGER = "203.0.113.7"


def set_up(app: Flask, **settings: str) -> None:
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], **settings)


def is_open(client: FlaskClient, peer: str, **headers: str) -> bool:
    """Return whether both pages answer; they must agree, and a refusal says nothing about the portal."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answers = [client.get(path, headers=given, environ_base={"REMOTE_ADDR": peer}) for path in PATHS]
    refused = [answer.status_code == 401 for answer in answers]
    assert refused[0] == refused[1]
    for answer in answers:
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert "portal_" not in answer.text
    assert client.get("/healthz", environ_base={"REMOTE_ADDR": peer}).status_code == 200
    return not refused[0]


@pytest.mark.usefixtures("world")
def test_by_default_only_this_machine_is_answered(client_of: Clients) -> None:
    client = client_of(None)
    for near in ("127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"):
        assert is_open(client, near)
    for far in (STRANGER, "10.0.0.1", "2001:db8::1", "", "garbage"):
        assert not is_open(client, far)
    assert not is_open(client, STRANGER, X_Forwarded_For="127.0.0.1")


@pytest.mark.parametrize("header", FORWARDED)
@pytest.mark.parametrize("value", [STRANGER, "127.0.0.1", "", "unknown", f"{STRANGER}, 127.0.0.1"])
@pytest.mark.parametrize("trusted", ["", "127.0.0.1/32"])
def test_what_a_proxy_on_this_machine_passes_on_is_not_from_this_machine(header: str, value: str, trusted: str) -> None:
    assert passes({}, trusted)
    assert not passes({header: value}, trusted)


def passes(headers: dict[str, str], trusted: str) -> bool:
    """Return whether a request from a proxy on this machine counts as near."""
    found: list[bool] = []

    def app(environ: WSGIEnvironment, _: StartResponse) -> Iterable[bytes]:
        found.append(may_monitor(environ, settings_for("sqlite:///none")))
        return []

    environ: WSGIEnvironment = {"REMOTE_ADDR": "127.0.0.1", **headers}
    setup_testing_defaults(environ)
    TrustedProxies(app, trusted)(environ, lambda *_: lambda _: None)
    return found[0]


@pytest.mark.usefixtures("world")
def test_token_opens_from_everywhere(app: Flask, client_of: Clients) -> None:
    client = client_of(None)
    assert not is_open(client, STRANGER, Authorization="Bearer ")
    set_up(app, metrics_token=TOKEN)
    assert is_open(client, STRANGER, Authorization=f"Bearer {TOKEN}")
    assert is_open(client, STRANGER, Authorization=f"bearer  {TOKEN}")
    assert is_open(client, "127.0.0.1", Authorization=f"Bearer {TOKEN}", X_Forwarded_For=STRANGER)
    for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"):
        assert not is_open(client, STRANGER, Authorization=wrong)
    assert is_open(client, "127.0.0.1")


@pytest.mark.usefixtures("world")
def test_networks_are_configured(app: Flask, client_of: Clients) -> None:
    client = client_of(None)
    set_up(app, metrics_networks="10.0.0.0/8")
    assert is_open(client, "10.1.2.3")
    assert is_open(client, "127.0.0.1", X_Forwarded_For="10.1.2.3")
    assert not is_open(client, "127.0.0.1")
    assert not is_open(client, "10.1.2.3.4")
    set_up(app, metrics_networks="")
    assert not is_open(client, "127.0.0.1")
    set_up(app, metrics_networks="0.0.0.0/0, ::/0")
    assert is_open(client, STRANGER)
    assert is_open(client, "2001:db8::1")
