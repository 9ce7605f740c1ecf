"""Every way connecting can fail; none of them changes anything."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.logged_in import log_in_as
from tests.views.connect.connect_world import NEW, failed, snapshot
from tests.views.real_services import decide, leave

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox
    from tests.views.conftest import World


def test_denied_access_connects_nothing(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW, decision="deny")
    shown = failed(owner, url, 200, "Access not allowed")
    assert "choose Allow" in shown
    assert snapshot(app) == before
    failed(owner, url, 400, "Link no longer valid")


def test_other_error_from_big_cartel_is_shown(app: Flask, owner: FlaskClient) -> None:
    before = snapshot(app)
    url = f"/connect/callback?state={leave(owner)['state']}&error=server_error"
    assert "It said: server_error" in failed(owner, url, 502, "Big Cartel returned an error")
    assert snapshot(app) == before


def test_redirect_without_a_code_is_an_error(app: Flask, owner: FlaskClient) -> None:
    failed(owner, f"/connect/callback?state={leave(owner)['state']}", 502, "Big Cartel returned an error")


def test_state_works_once(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    url = decide(sandbox_process, leave(owner), account=NEW)
    assert owner.get(url).status_code == 303
    before = snapshot(app)
    failed(owner, url, 400, "Link no longer valid")
    assert snapshot(app) == before


@pytest.mark.parametrize(
    "tamper",
    [
        lambda url: url.replace("state=", "state=x"),
        lambda url: url.replace("state=", "other="),
        lambda url: "/connect/callback",
        lambda url: "/connect/callback?error=access_denied",
        lambda url: "/connect/callback?error=access_denied&state=made-up",
    ],
)
def test_unknown_state_is_rejected(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, tamper: Callable[[str], str]
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    failed(owner, tamper(url), 400, "Link no longer valid")
    assert snapshot(app) == before
    assert "POST /oauth/token" not in sandbox_process.calls("bigcartel")


def test_redirect_in_another_browser_or_as_another_user_is_rejected(
    app: Flask, world: World, client_of: Callable[..., FlaskClient], sandbox_process: Sandbox
) -> None:
    before, owner = snapshot(app), client_of(world.owner)
    url = decide(sandbox_process, leave(owner), account=NEW)
    failed(client_of(world.stranger), url, 400, "Link no longer valid")
    log_in_as(app, owner, world.stranger)
    failed(owner, url, 400, "Link no longer valid")
    assert snapshot(app) == before


def test_only_the_latest_three_connections_can_be_finished(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    """The last three stay valid; older ones are dropped so the cookie doesn't grow without limit."""
    started = [leave(owner) for _ in range(5)]
    failed(owner, decide(sandbox_process, started[0], account=NEW), 400, "Link no longer valid")
    assert owner.get(decide(sandbox_process, started[2], account=NEW)).status_code == 303


def test_supports_long_reasons_fit_into_the_cookie(
    client_of: Callable[..., FlaskClient], world: World, sandbox_process: Sandbox
) -> None:
    """Browsers drop a cookie over 4 KiB, and with it the log-in."""
    support, words = client_of(world.support), Random(1)
    for _ in range(3):
        latest = leave(support, reason="".join(words.choices([chr(0x4E00 + n) for n in range(20_000)], k=500)))
        cookie = support.get_cookie("session")
        assert cookie
        assert len(cookie.value) < 4_000
    assert support.get(decide(sandbox_process, latest, account=NEW)).status_code == 303


def test_expired_code_is_explained(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    sandbox_process.put_client("portal", secret="portal-secret", code_seconds=-1)
    shown = failed(owner, decide(sandbox_process, leave(owner), account=NEW), 400, "Authorization code rejected")
    assert "invalid_grant" in shown
    assert snapshot(app) == before


JSON = {"kind": "html", "content_type": "application/json"}


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ({**JSON, "body": '{"access_token": "secret-token"}'}, 502, "Account ID missing"),
        ({**JSON, "body": '{"access_token": "secret-token", "account_id": null}'}, 502, "Account ID missing"),
        ({**JSON, "body": '{"access_token": "secret-token", "account_id": ["1"]}'}, 502, "Account ID missing"),
        ({**JSON, "body": '{"account_id": "1000003"}'}, 502, "Unreadable answer from Big Cartel"),
        ({**JSON, "body": '{"access_token": 5, "account_id": "1000003", "expires_in": "soon"}'}, 502,
         "Unreadable answer from Big Cartel"),
        ({**JSON, "body": '{"errors": [{"title": "No"}]}'}, 502, "Unreadable answer from Big Cartel"),
        ({**JSON, "body": '{"error": {"odd": 1}}'}, 400, "Authorization code rejected"),
        ({**JSON, "body": "[1, 2]"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "html"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "garbage"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "empty"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "status"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "throttle"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "status", "status": 302}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "status", "status": 401}, 502, "Portal rejected by Big Cartel"),
        ({"kind": "truncate"}, 502, "Unreadable answer from Big Cartel"),
        ({"kind": "reset_before"}, 502, "Couldn't reach Big Cartel"),
        ({"kind": "hang"}, 502, "Couldn't reach Big Cartel"),
    ],
)  # fmt: skip
def test_unusable_answer_instead_of_a_token_is_explained(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, fault: dict[str, Any], status: int, title: str
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    sandbox_process.fault("token", **fault)
    shown = failed(owner, url, status, title)
    assert "secret-token" not in shown
    assert snapshot(app) == before
    failed(owner, url, 400, "Link no longer valid")


def test_wrong_client_secret_is_explained(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    sandbox_process.put_client("portal", secret="changed")
    failed(owner, decide(sandbox_process, leave(owner), account=NEW), 502, "Portal rejected by Big Cartel")


def test_store_of_another_merchant_is_not_connected(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account="1000002")
    shown = failed(owner, url, 409, "Store belongs to another merchant")
    assert "900" not in shown
    assert "Other Goods" not in shown
    assert snapshot(app) == before
