"""A merchant's settings: who may change them, sending, options, stores and credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.clock import utc_now
from portal.crypto import unseal
from portal.extensions import db
from portal.models import AuditEntry, Merchant, Store
from portal.queue import Call, JobName
from tests.views.conftest import World, get, post, read
from tests.views.page import one, section, text, text_in
from tests.views.settings_world import CHANGES, HOME, URLS, is_rechecked, merchant, trail

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox

    ClientOf = Callable[[str | None], FlaskClient]


pytestmark = pytest.mark.usefixtures("long_ago")


# Access


@pytest.mark.parametrize("url", URLS)
def test_settings_open_only_for_the_merchant_and_support(world: World, client_of: ClientOf, url: str) -> None:
    get(client_of(world.owner), url)
    get(client_of(world.support), url)
    get(client_of(world.stranger), url, 404)
    assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")


@pytest.mark.parametrize(("url", "fields"), CHANGES)
def test_another_merchants_user_changes_nothing(
    app: Flask, world: World, client_of: ClientOf, url: str, fields: dict[str, str]
) -> None:
    assert post(client_of(world.stranger), url, **fields).status_code == 404
    assert trail(app) == []


@pytest.mark.parametrize(("url", "fields"), CHANGES)
def test_support_must_give_a_reason(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf, url: str, fields: dict[str, str]
) -> None:
    client = client_of(world.support)
    page = read(post(client, url, **fields))
    assert "Say why" in text_in(page, ".invalid-feedback")
    assert trail(app) == []

    read(post(client, url, **fields, reason="asked for on the phone"))
    ((actor, _, _, reason),) = trail(app)
    assert (actor, reason) == (world.support, "asked for on the phone")
    shown = get(client_of(world.owner), f"{HOME}/audit-trail").get_text()
    assert world.support in shown
    assert "asked for on the phone" in shown


def test_merchant_is_not_asked_for_a_reason(world: World, client_of: ClientOf) -> None:
    for url in URLS:
        assert not get(client_of(world.owner), url).select("input[name=reason]")


# Sending


def test_sending_can_be_paused_and_resumed(app: Flask, world: World, client_of: ClientOf, woken: list[Call]) -> None:
    client = client_of(world.owner)
    assert "Pause sending" in text(section(get(client, HOME), "sending"))

    page = read(post(client, f"{HOME}/sending/pause"))
    assert "Sending is paused" in page.get_text()
    assert "Resume sending" in text(section(page, "sending"))
    assert merchant(app).paused
    assert is_rechecked(app, world, woken)

    read(post(client, f"{HOME}/sending/pause"))
    assert merchant(app).paused, "pausing twice must not resume"

    assert "Sending has resumed" in read(post(client, f"{HOME}/sending/resume")).get_text()
    assert not merchant(app).paused
    assert [action for _, action, _, _ in trail(app)] == ["sending resumed", "sending paused"]


def test_test_mode_can_be_turned_on_and_off(app: Flask, world: World, client_of: ClientOf, woken: list[Call]) -> None:
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/test-mode/on"))
    assert "Turn off test mode" in text(section(page, "sending"))
    assert merchant(app).test_mode
    assert is_rechecked(app, world, woken)
    read(post(client, f"{HOME}/test-mode/off"))
    assert not merchant(app).test_mode
    assert [action for _, action, _, _ in trail(app)] == ["test mode off", "test mode on"]


def test_audit_trail_names_changed_options(app: Flask, world: World, client_of: ClientOf, woken: list[Call]) -> None:
    client = client_of(world.owner)
    page = read(post(client, HOME, submit_unpaid="y"))
    assert one(page, "input[name=submit_unpaid]").has_attr("checked")
    assert merchant(app).submit_unpaid
    assert not merchant(app).ignore_items_without_sku
    assert is_rechecked(app, world, woken)

    read(post(client, HOME, ignore_items_without_sku="y"))
    assert not merchant(app).submit_unpaid
    assert merchant(app).ignore_items_without_sku
    assert [subject for _, _, subject, _ in trail(app)] == [
        "send unpaid orders: off, ignore items without a SKU: on",
        "send unpaid orders: on",
    ]
    assert "Nothing changed" in read(post(client, HOME, ignore_items_without_sku="y")).get_text()
    assert len(trail(app)) == 2


def test_page_links_to_shipping_team_and_store(world: World, client_of: ClientOf) -> None:
    page = get(client_of(world.owner), HOME)
    links = {str(link["href"]) for link in page.select("a[href]")}
    assert {"/m/816/shipping", f"{HOME}/credentials", f"{HOME}/colleagues"} <= links
    assert [link for link in links if link.lower().startswith(("/connect", "/bigcartel"))]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Not live yet"),
        ({"live": True}, "Live Connected since"),
        ({"live": True, "reconnect_needed_at": utc_now()}, "Reconnect needed"),
        ({"sealed_token": ""}, "Disconnected"),
    ],
)
def test_store_shows_its_status(
    app: Flask, world: World, client_of: ClientOf, columns: dict[str, Any], words: str
) -> None:
    with app.app_context():
        store = db.session.get_one(Store, world.store_id)
        for name, value in columns.items():
            setattr(store, name, value)
        db.session.commit()
    assert words in text(section(get(client_of(world.owner), HOME), "stores"))


# Credentials


def test_new_credentials_are_checked_saved_and_never_shown(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf, woken: list[Call]
) -> None:
    with app.app_context():
        stopped = db.session.get_one(Merchant, 816)
        stopped.credentials_refused_at = utc_now()
        stopped.credentials_refused_words = "Invalid MerchantToken"
        db.session.commit()
    client = client_of(world.owner)
    assert "not sending any orders until you enter new ones" in text(section(get(client, HOME), "warehouse"))

    answer = post(client, f"{HOME}/credentials", merchant_name=" Fern & Fable Ltd", merchant_token="right-token ")

    page = read(answer)
    assert answer.request.path == "/m/816/setup", "setup isn't complete"
    assert "accepted the credentials, and they're saved." in page.get_text()
    assert "until you enter new ones" not in page.get_text()
    saved = merchant(app)
    assert (saved.name, saved.credentials_refused_at, saved.credentials_refused_words) == ("Fern & Fable Ltd", None, "")
    assert unseal(saved.sealed_token, app.config["SETTINGS"].token_keys) == "right-token"
    assert is_rechecked(app, world, woken)
    assert {Call(JobName.SUBMIT, (816,)), Call(JobName.SETTLE, (816,)), Call(JobName.TRACK, (816,))} <= set(woken)
    for url in URLS:
        assert "right-token" not in str(get(client, url))
    assert [action for _, action, _, _ in trail(app)] == ["merchant credentials replaced"]


@pytest.mark.parametrize(("fault", "sentence"), [("", "rejected this Merchant Id"), ("status", "returned an error")])
def test_credentials_the_warehouse_does_not_accept_change_nothing(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf, fault: str, sentence: str
) -> None:
    if fault:
        warehouse.fault("inventory", fault, status=503, times=None)
    before = merchant(app).sealed_token
    page = read(post(client_of(world.owner), f"{HOME}/credentials", merchant_name="Fern", merchant_token="wrong-token"))
    assert sentence in page.get_text()
    assert "Nothing was saved" in page.get_text()
    assert "wrong-token" not in str(page)
    assert merchant(app).sealed_token == before
    assert trail(app) == []


@pytest.mark.parametrize("number", ["2147483648", "99999999999999999999999"])
def test_id_too_large_for_any_row_is_not_found(world: World, client_of: ClientOf, number: str) -> None:
    client = client_of(world.support)
    get(client, f"/m/{number}/settings", 404)
    get(client, f"{HOME}/colleagues/{number}/remove", 404)
    get(client, f"{HOME}/invitations/{number}/withdraw", 404)
    get(client, f"{HOME}/audit-trail?before={number}")
    get(client, f"{HOME}/audit-trail?before=-{number}")


def test_user_input_is_shown_as_text(app: Flask, world: World, client_of: ClientOf) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).name = "<script>alert(1)</script>"
        db.session.add(
            AuditEntry(at=utc_now(), actor="<b>", merchant_id=816, action="<i>done</i>", subject="<u>", reason="<s>")
        )
        db.session.commit()
    for url in URLS:
        page = get(client_of(world.owner), url)
        assert not page.select("b, i, u, s")
