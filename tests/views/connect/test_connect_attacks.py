"""Redirects, forms and answers that nobody sends by accident: none connects anything, and each gets a page."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from portal.clock import utc_now
from tests.logged_in import log_in_as
from tests.views.connect.connect_world import NEW, failed, snapshot
from tests.views.real_services import SECRET, decide, leave, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox
    from tests.views.conftest import World

STATE = "Link no longer valid"
ERROR = "Big Cartel returned an error"
CODE = "Authorization code rejected"
UNREADABLE = "Unreadable answer from Big Cartel"
NO_ACCOUNT = "Account ID missing"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: the database makes no difference here."""
    return sqlite_url


def _is_not_exchanged(sandbox: Sandbox) -> bool:
    return "POST /oauth/token" not in sandbox.calls("bigcartel")


# The state


@pytest.mark.parametrize(("minutes", "status"), [(59, 303), (61, 400)])
def test_state_expires_after_an_hour(
    app: Flask,
    owner: FlaskClient,
    sandbox_process: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    status: int,
) -> None:
    url = decide(sandbox_process, leave(owner), account=NEW)
    monkeypatch.setattr("portal.oauth.utc_now", lambda: utc_now() + timedelta(minutes=minutes))
    if status == 303:
        assert owner.get(url).status_code == 303
    else:
        failed(owner, url, status, STATE)
        assert NEW not in stores(app)
        assert _is_not_exchanged(sandbox_process)


def test_expired_states_leave_the_cookie(owner: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [leave(owner)["state"] for _ in range(2)]
    monkeypatch.setattr("portal.oauth.utc_now", lambda: utc_now() + timedelta(hours=2))
    new = leave(owner)["state"]
    with owner.session_transaction() as session:
        kept = str(dict(session))
    assert new in kept
    assert not [state for state in old if state in kept]


def test_state_of_another_user_of_this_browser_is_rejected(
    app: Flask, world: World, client_of: Callable[..., FlaskClient], sandbox_process: Sandbox
) -> None:
    browser = client_of(world.owner)
    url = decide(sandbox_process, leave(browser), account=NEW)
    for other in (world.teammate, world.stranger, world.support):
        log_in_as(app, browser, other)
        failed(browser, url, 400, STATE)
    assert NEW not in stores(app)
    assert _is_not_exchanged(sandbox_process)


@pytest.mark.parametrize(
    "query",
    [
        "error=server_error&error_description=Call+555-0100",
        "error=access_denied",
        "code=x",
        "state=&code=x",
        "state={state}&state={state}&code=x",
        "state={state}&state=other&code=x",
        "state={state}%00&code=x",
        "state[]={state}&code=x",
    ],
)
def test_nothing_is_looked_at_before_the_state(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, query: str
) -> None:
    state = leave(owner)["state"]
    shown = failed(owner, f"/connect/callback?{query.format(state=state)}", 400, STATE)
    assert "555" not in shown
    assert _is_not_exchanged(sandbox_process)


# The redirect


@pytest.mark.parametrize(
    ("query", "status", "title"),
    [
        ("", 502, ERROR),
        ("code=", 502, ERROR),
        ("code=a&code=b", 502, ERROR),
        ("error=&code=", 502, ERROR),
        ("error=temporarily_unavailable", 502, ERROR),
        ("error=access_denied&code=x", 200, "Access not allowed"),
        (f"error={'x' * 10_000}", 502, ERROR),
        ("error=%00", 502, ERROR),
        (f"code={'x' * 10_000}", 400, CODE),
        ("code=%00", 400, CODE),
        ("code=a%0d%0ab", 400, CODE),
        ("code=%ff%fe", 400, CODE),
        ("code=%F0%9F%98%80", 400, CODE),
        ("code=x", 400, CODE),
        ("code=x&redirect_uri=https://evil.example&next=https://evil.example", 400, CODE),
    ],
)
def test_odd_redirect_gets_a_page_and_uses_up_its_state(
    app: Flask, owner: FlaskClient, query: str, status: int, title: str
) -> None:
    before, url = snapshot(app), f"/connect/callback?state={leave(owner)['state']}&{query}"
    failed(owner, url, status, title)
    failed(owner, url, 400, STATE)
    assert snapshot(app) == before


def test_code_that_can_be_none_is_not_sent(owner: FlaskClient, sandbox_process: Sandbox) -> None:
    for code in ("x" * 10_000, "%00", "a%0Ab"):
        failed(owner, f"/connect/callback?state={leave(owner)['state']}&code={code}", 400, CODE)
    assert _is_not_exchanged(sandbox_process)


def test_only_known_error_codes_are_repeated(owner: FlaskClient) -> None:
    """Whoever can write the redirect must not be able to write on our page."""
    words = "error_description=Call+555-0100&error_uri=https://evil.example"
    shown = failed(owner, f"/connect/callback?state={leave(owner)['state']}&error=server_error&{words}", 502, ERROR)
    assert "server_error" in shown
    assert "555" not in shown
    assert "evil" not in shown
    assert "555" not in failed(owner, f"/connect/callback?state={leave(owner)['state']}&error=Call+555", 502, ERROR)


def test_head_request_uses_nothing_up(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    url = decide(sandbox_process, leave(owner), account=NEW)
    assert owner.head(url).status_code == 405
    assert _is_not_exchanged(sandbox_process)
    assert owner.get(url).status_code == 303
    assert NEW in stores(app)


# PKCE


def test_code_of_another_authorization_request_is_rejected(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    """An attacker who lures a merchant into using the attacker's code doesn't have the merchant's verifier."""
    victim, attacker = leave(owner), leave(owner)
    assert victim["code_challenge_method"] == "S256"
    assert victim["code_challenge"] != attacker["code_challenge"]
    url = decide(sandbox_process, {**victim, "code_challenge": attacker["code_challenge"]}, account=NEW)
    failed(owner, url, 400, CODE)
    assert NEW not in stores(app)


def test_server_without_pkce_connects(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    asked = {name: value for name, value in leave(owner).items() if not name.startswith("code_challenge")}
    assert owner.get(decide(sandbox_process, asked, account=NEW)).status_code == 303
    assert NEW in stores(app)


def test_connection_begun_before_an_upgrade_is_finished(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    asked = {name: value for name, value in leave(owner).items() if not name.startswith("code_challenge")}
    with owner.session_transaction() as session:
        kept = session[f"_state_bigcartel_{asked['state']}"]
        del kept["data"]["code_verifier"]
        session.modified = True
    assert owner.get(decide(sandbox_process, asked, account=NEW)).status_code == 303
    assert NEW in stores(app)


# Big Cartel's answer


def _granted(**fields: Any) -> str:
    return json.dumps({"access_token": "secret-token", "account_id": NEW, **fields})


@pytest.mark.parametrize(
    ("body", "status", "title"),
    [
        ("[" * 60_000, 502, UNREADABLE),
        ('{"a":' * 10_000, 502, UNREADABLE),
        ("[" * 100_000, 502, UNREADABLE),
        (_granted(more="x" * 70_000), 502, UNREADABLE),
        (_granted(access_token="\ud800"), 502, UNREADABLE),
        (_granted(access_token="a\0b"), 502, UNREADABLE),
        (_granted(account_id="shop"), 502, NO_ACCOUNT),
        (_granted(account_id="1000003\0"), 502, NO_ACCOUNT),
        (_granted(account_id="01000003"), 502, NO_ACCOUNT),
        (_granted(account_id="../1000001"), 502, NO_ACCOUNT),
        (_granted(account_id="٣"), 502, NO_ACCOUNT),
        (_granted(account_id=10**400), 502, NO_ACCOUNT),
        (_granted(account_id=1000003.0), 502, NO_ACCOUNT),
        (_granted(account_id=-1000003), 502, NO_ACCOUNT),
        (_granted(account_id=True), 502, NO_ACCOUNT),
        (_granted(account_id="9" * 30), 502, NO_ACCOUNT),
        (_granted(error="invalid_grant"), 400, CODE),
    ],
    ids=lambda value: str(value)[:30],
)
def test_hostile_answer_gets_a_page(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, body: str, status: int, title: str
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    sandbox_process.fault("token", "html", content_type="application/json", body=body)
    assert "secret-token" not in failed(owner, url, status, title)
    assert snapshot(app) == before


def test_failure_page_shows_no_credential_and_no_invisible_character(
    owner: FlaskClient, sandbox_process: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    asked = leave(owner)
    url = decide(sandbox_process, asked, account=NEW)
    with owner.session_transaction() as session:
        verifier = session[f"_state_bigcartel_{asked['state']}"]["data"]["code_verifier"]
    code = url.split("code=")[1].split("&")[0]
    hidden = f"{SECRET[:4]}\u200b{SECRET[4:]}"
    said = f"<b>No</b>\u202e\n {SECRET} {hidden} {code} {quote(code)} {verifier} access_token=fresh " + "x" * 900
    sandbox_process.fault(
        "token", "html", status=400, content_type="application/json",
        body=json.dumps({"error": "invalid_grant", "message": said}),
    )  # fmt: skip
    shown = failed(owner, url, 400, CODE)
    assert "invalid_grant: <b>No</b> •••" in shown
    logged = " ".join(str(vars(record)) for record in caplog.records)
    for secret in (SECRET, code, verifier, "fresh"):
        assert secret not in shown
        assert secret not in logged
    assert "\u202e" not in shown
    assert "\u200b" not in shown
    assert "x" * 250 not in shown


def test_store_of_another_merchant_keeps_its_access(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    """Revoking the new token would revoke the other merchant's, too."""
    shown = failed(
        owner, decide(sandbox_process, leave(owner), account="1000002"), 409, "Store belongs to another merchant"
    )
    assert "its orders stop for the other merchant, too" in shown
    assert "POST /oauth/deauthorize/{account}" not in sandbox_process.calls("bigcartel")
