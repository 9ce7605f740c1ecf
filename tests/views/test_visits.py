"""Support acts as a merchant: it says why once, sees the merchant's pages, and stays named in the audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal import access, visits
from portal.clock import utc_now
from tests.views.conftest import get, post, read
from tests.views.page import one, text_in
from tests.views.settings_world import merchant, trail

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.views.conftest import World

    ClientOf = Callable[[str | None], FlaskClient]

HERE = "/m/816/visit"
PAUSE = "/m/816/settings/sending/pause"
REASON = "The merchant called: two orders look wrong"


@pytest.fixture
def support(world: World, client_of: ClientOf) -> FlaskClient:
    return client_of(world.support)


def begin(client: FlaskClient) -> None:
    assert "You're acting as Fern & Fable" in text_in(read(post(client, HERE, reason=REASON)), ".visit")


def test_reason_is_asked_once_and_goes_with_everything_done(app: Flask, support: FlaskClient) -> None:
    assert get(support, PAUSE).find("input", {"name": "reason"})
    begin(support)

    assert not get(support, PAUSE).find("input", {"name": "reason"})
    read(post(support, PAUSE))

    assert merchant(app).paused
    assert [(action, reason) for _, action, _, reason in trail(app)] == [
        ("sending paused", REASON),
        ("support visit begun", REASON),
    ]
    assert {actor for actor, *_ in trail(app)} == {"support@warehouse.example"}


def test_pages_look_as_they_do_to_the_merchant(world: World, support: FlaskClient, owner: FlaskClient) -> None:
    def parts(client: FlaskClient) -> tuple[list[str], list[str]]:
        page = get(client, "/m/816/settings")
        links = [str(link["href"]) for link in page.select("nav[aria-label=Main] ul a, main a")]
        return links, [str(button) for button in page.select("main button")]

    assert parts(support) != parts(owner)
    begin(support)
    assert parts(support) == parts(owner)


def test_it_is_for_this_merchant_only(app: Flask, support: FlaskClient) -> None:
    begin(support)
    assert "viewing Other Goods as support" in text_in(get(support, "/m/900/"), ".visit")
    assert get(support, "/m/900/settings/sending/pause").find("input", {"name": "reason"})
    post(support, "/m/900/settings/sending/pause")
    assert len(trail(app)) == 1
    assert get(support, "/support/buyers").find("input", {"name": "reason"})


def test_connecting_a_store_asks_for_no_reason_either(app: Flask, support: FlaskClient) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], bigcartel_client_id="id", bigcartel_client_secret="secret")
    begin(support)
    form = one(get(support, "/connect"), "main form")
    assert one(form, "#merchant_id")["value"] == "816"
    assert not form.find("input", {"name": "reason"})
    assert not get(support, "/m/816/setup").find("input", {"name": "reason"})
    assert get(support, "/connect?merchant_id=900").find("input", {"name": "reason"})
    assert get(support, "/m/900/setup").find("input", {"name": "reason"})
    assert "Say why." in text_in(read(post(support, "/connect", merchant_id="900"), 422))


def test_it_ends_with_a_button_or_after_an_hour(support: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(support)
    assert "You're no longer acting as Fern & Fable." in text_in(read(post(support, f"{HERE}/end")))
    assert get(support, PAUSE).find("input", {"name": "reason"})

    begin(support)
    later = utc_now() + visits.LASTS + timedelta(seconds=1)
    monkeypatch.setattr(access, "utc_now", lambda: later)
    assert get(support, PAUSE).find("input", {"name": "reason"})


def test_nobody_else_gets_it(app: Flask, world: World, support: FlaskClient, owner: FlaskClient) -> None:
    """Not the merchant, and not the next support person at the same computer."""
    assert owner.get(HERE).status_code == 404
    assert post(owner, HERE, reason="me").status_code == 404
    begin(support)
    with support.session_transaction() as cookie:
        user_id, *rest = cookie["visit"]
        cookie["visit"] = (user_id + 1, *rest)
    assert "viewing Fern & Fable as support" in text_in(get(support, "/m/816/"), ".visit")
    assert not get(owner, "/m/816/").select(".visit")


@pytest.mark.parametrize("reason", ["", "   ", "x" * (visits.LONGEST_REASON + 1)])
def test_it_needs_a_reason_that_fits(app: Flask, support: FlaskClient, reason: str) -> None:
    read(post(support, HERE, reason=reason))
    assert get(support, PAUSE).find("input", {"name": "reason"})
    assert trail(app) == []


def test_the_longest_reason_fits_into_the_cookie(support: FlaskClient) -> None:
    reason = "\U0001f381" * visits.LONGEST_REASON
    read(post(support, HERE, reason=reason))
    assert reason in text_in(get(support, "/m/816/"), ".visit")


def test_it_leads_back_to_the_page_it_began_on_and_nowhere_else(support: FlaskClient) -> None:
    link = one(get(support, "/m/816/orders?state=held"), ".visit a")
    assert (
        one(get(support, str(link["href"])), "main form .btn-outline-secondary")["href"] == "/m/816/orders?state=held"
    )
    for elsewhere in ("https://evil.example/m/816/", "//evil.example", "/m/900/", "/m/8160/"):
        page = get(support, f"{HERE}?back={elsewhere}")
        assert one(page, "main form .btn-outline-secondary")["href"] == "/m/816/"
