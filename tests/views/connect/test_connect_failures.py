"""All the ways in which connecting fails; none of them changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.views.connect.connect_world import NEW, failed, snapshot
from tests.views.real_services import decide, leave

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox
    from tests.views.conftest import World


def test_denied(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW, decision="deny")
    shown = failed(owner, url, 200, "The store was not connected")
    assert "choose Allow" in shown
    assert snapshot(app) == before
    failed(owner, url, 400, "This return from Big Cartel is not known")


def test_another_error_of_big_cartel(app: Flask, owner: FlaskClient) -> None:
    before = snapshot(app)
    url = f"/connect/callback?state={leave(owner)['state']}&error=server_error&error_description=Closed+<b>today</b>"
    assert "Closed <b>today</b>" in failed(owner, url, 502, "Big Cartel ended the connection")
    assert snapshot(app) == before


def test_a_return_without_a_code(app: Flask, owner: FlaskClient) -> None:
    failed(owner, f"/connect/callback?state={leave(owner)['state']}", 502, "Big Cartel ended the connection")


def test_a_state_works_once(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    url = decide(sandbox_process, leave(owner), account=NEW)
    assert owner.get(url).status_code == 303
    before = snapshot(app)
    failed(owner, url, 400, "This return from Big Cartel is not known")
    assert snapshot(app) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.replace("state=", "state=x"),
        lambda url: url.replace("state=", "other="),
        lambda url: "/connect/callback",
        lambda url: "/connect/callback?error=access_denied",
        lambda url: "/connect/callback?error=access_denied&state=made-up",
    ],
)
def test_a_state_that_is_not_ours(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, spoil: Callable[[str], str]
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    failed(owner, spoil(url), 400, "This return from Big Cartel is not known")
    assert snapshot(app) == before
    assert "POST /oauth/token" not in sandbox_process.calls("bigcartel")


def test_a_return_in_another_browser_or_as_another_person(
    app: Flask, world: World, client_of: Callable[..., FlaskClient], sandbox_process: Sandbox
) -> None:
    before, owner = snapshot(app), client_of(world.owner)
    url = decide(sandbox_process, leave(owner), account=NEW)
    failed(client_of(world.stranger), url, 400, "This return from Big Cartel is not known")
    with owner.session_transaction() as session:
        session["_user_id"] = f"key-{world.stranger}"
    failed(owner, url, 400, "This return from Big Cartel is not known")
    assert snapshot(app) == before


def test_begun_several_times(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    """The last three are good; the cookie does not grow without end."""
    begun = [leave(owner) for _ in range(5)]
    failed(owner, decide(sandbox_process, begun[0], account=NEW), 400, "This return from Big Cartel is not known")
    assert owner.get(decide(sandbox_process, begun[2], account=NEW)).status_code == 303


def test_an_expired_code(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    sandbox_process.put_client("portal", secret="portal-secret", code_seconds=-1)
    shown = failed(owner, decide(sandbox_process, leave(owner), account=NEW), 400, "Big Cartel's code was not accepted")
    assert "invalid_grant" in shown
    assert snapshot(app) == before


JSON = {"kind": "html", "content_type": "application/json"}


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ({**JSON, "body": '{"access_token": "secret-token"}'}, 502, "Big Cartel did not say which store it is"),
        ({**JSON, "body": '{"access_token": "secret-token", "account_id": null}'}, 502,
         "Big Cartel did not say which store it is"),
        ({**JSON, "body": '{"access_token": "secret-token", "account_id": ["1"]}'}, 502,
         "Big Cartel did not say which store it is"),
        ({**JSON, "body": '{"account_id": "1000003"}'}, 502, "Big Cartel's answer cannot be read"),
        ({**JSON, "body": '{"access_token": 5, "account_id": "1000003", "expires_in": "soon"}'}, 502,
         "Big Cartel's answer cannot be read"),
        ({**JSON, "body": '{"errors": [{"title": "No"}]}'}, 502, "Big Cartel's answer cannot be read"),
        ({**JSON, "body": '{"error": {"odd": 1}}'}, 400, "Big Cartel's code was not accepted"),
        ({**JSON, "body": "[1, 2]"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "html"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "garbage"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "empty"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "status"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "throttle"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "status", "status": 302}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "status", "status": 401}, 502, "Big Cartel does not know this portal"),
        ({"kind": "truncate"}, 502, "Big Cartel's answer cannot be read"),
        ({"kind": "reset_before"}, 502, "Big Cartel did not answer"),
        ({"kind": "hang"}, 502, "Big Cartel did not answer"),
    ],
)  # fmt: skip
def test_odd_answers_instead_of_a_token(
    app: Flask, owner: FlaskClient, sandbox_process: Sandbox, fault: dict[str, Any], status: int, title: str
) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account=NEW)
    sandbox_process.fault("token", **fault)
    shown = failed(owner, url, status, title)
    assert "secret-token" not in shown
    assert snapshot(app) == before
    failed(owner, url, 400, "This return from Big Cartel is not known")


def test_the_portals_own_secret_is_wrong(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    sandbox_process.put_client("portal", secret="changed")
    failed(owner, decide(sandbox_process, leave(owner), account=NEW), 502, "Big Cartel does not know this portal")


def test_a_shop_of_another_merchant(app: Flask, owner: FlaskClient, sandbox_process: Sandbox) -> None:
    before = snapshot(app)
    url = decide(sandbox_process, leave(owner), account="1000002")
    shown = failed(owner, url, 409, "This store belongs to another merchant")
    assert "900" not in shown
    assert "Other Goods" not in shown
    assert snapshot(app) == before
