"""Signing up as a merchant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.crypto import unseal
from portal.extensions import db
from portal.models import AuditEntry, Merchant, User
from portal.people import passwords
from tests.views.conftest import World, get, post, read
from tests.views.page import one, text_in
from tests.views.people_world import MOSS, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox

    ClientOf = Callable[[str | None], FlaskClient]


def test_merchant_signs_up_with_credentials_the_warehouse_accepts(
    app: Flask, warehouse: Sandbox, client_of: ClientOf
) -> None:
    client = client_of(None)
    page = get(client, "/sign-up")
    assert {"email", "password", "merchant_id", "merchant_name", "merchant_token"} <= {
        str(field["name"]) for field in page.select("input")
    }

    answer = post(client, "/sign-up", **MOSS)

    assert answer.request.path == "/m/817/setup"
    assert "The warehouse accepted your Merchant Id and Token." in answer.get_data(as_text=True)
    with app.app_context():
        merchant = db.session.get_one(Merchant, 817)
        assert (merchant.name, merchant.test_mode, merchant.paused) == ("Moss & Co", False, False)
        assert unseal(merchant.sealed_token, app.config["SETTINGS"].token_keys) == "moss-token"
        user = db.session.scalars(select(User)).one()
        assert (user.email, user.merchant_id, user.role) == ("owner@moss.example", 817, "merchant")
        assert passwords.is_correct(user.password_hash, MOSS["password"])
        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action, entry.merchant_id) == ("owner@moss.example", "signed up", 817)
    get(client, "/account")


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"merchant_token": "another"}, "merchant_token", "rejected this Merchant Id and Merchant Token"),
        ({"merchant_id": "818"}, "merchant_token", "Invalid MerchantId"),
        ({"merchant_id": "99999999999"}, "merchant_id", "isn't a Merchant Id"),
        ({"merchant_id": "0"}, "merchant_id", "isn't a Merchant Id"),
        ({"merchant_id": "moss"}, "merchant_id", "isn't a Merchant Id"),
        ({"merchant_name": " \u200b "}, "merchant_name", "Enter the Merchant Name"),
        ({"merchant_token": "mo\x00ss"}, "merchant_token", "a character that can't be part of a token"),
        ({"email": "nobody"}, "email", "isn't an email address"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email", "isn't an email address"),
        ({"password": "short"}, "password", "Use at least 10 characters"),
        ({"password": "Owner@moss.example"}, "password", "email address can't be your password"),
        ({"password": "aaaaaaaaaaaa"}, "password", "repeats a single character"),
    ],
)
def test_invalid_input_is_explained_beside_its_field_and_nothing_is_stored(
    app: Flask, warehouse: Sandbox, client_of: ClientOf, wrong: dict[str, str], field: str, sentence: str
) -> None:
    page = read(post(client_of(None), "/sign-up", **{**MOSS, **wrong}))

    assert "is-invalid" in one(page, f"input[name={field}]")["class"]
    assert sentence in text_in(page, f":has(> input[name={field}]) .invalid-feedback")
    assert count(app, User) == count(app, Merchant) == count(app, AuditEntry) == 0
    assert MOSS["password"] not in str(page)
    assert "moss-token" not in str(page)


@pytest.mark.parametrize(
    ("kind", "details", "sentence"),
    [
        ("refuse", {"words": "Come back tomorrow"}, "Come back tomorrow"),
        ("status", {"status": 503}, "The warehouse returned an error"),
        ("reset_after", {}, "The warehouse closed the connection"),
        ("html", {}, "an answer we couldn't read"),
    ],
)
def test_nothing_is_stored_unless_the_warehouse_accepts_the_credentials(
    app: Flask, warehouse: Sandbox, client_of: ClientOf, kind: str, details: dict[str, Any], sentence: str
) -> None:
    warehouse.fault("inventory", kind, times=None, **details)
    page = read(post(client_of(None), "/sign-up", **MOSS))
    alert = text_in(page, "[role=alert]")
    assert sentence in alert
    assert "Nothing was saved" in alert
    assert count(app, User) == count(app, Merchant) == 0


def test_unreachable_warehouse_is_reported_and_nothing_is_stored(app: Flask, client_of: ClientOf) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], fcp_api_url="http://127.0.0.1:1/xml")
    page = read(post(client_of(None), "/sign-up", **MOSS))
    assert "couldn't reach the warehouse" in text_in(page, "[role=alert]")
    assert count(app, User) == count(app, Merchant) == 0


def test_merchant_with_users_cannot_be_claimed_again(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf
) -> None:
    people = count(app, User)
    fields = {**MOSS, "merchant_id": "816", "merchant_name": "Mine now", "merchant_token": "right-token"}
    page = read(post(client_of(None), "/sign-up", **fields))
    assert "Ask a teammate who uses it to invite you" in page.get_text()
    assert count(app, User) == people
    with app.app_context():
        assert db.session.get_one(Merchant, 816).name == "Fern & Fable"


def test_wrong_token_does_not_reveal_who_has_an_account(world: World, warehouse: Sandbox, client_of: ClientOf) -> None:
    fields = {**MOSS, "email": world.owner, "merchant_id": "816", "merchant_token": "guessed"}
    page = read(post(client_of(None), "/sign-up", **fields))
    assert "rejected this Merchant Id" in text_in(page, ".invalid-feedback")


def test_address_with_an_account_cannot_sign_up_for_another_merchant(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf
) -> None:
    page = read(post(client_of(None), "/sign-up", **{**MOSS, "email": world.owner}))
    assert "already has an account" in page.get_text()
    with app.app_context():
        assert db.session.get(Merchant, 817) is None


def test_merchant_added_on_the_command_line_is_claimed_by_its_first_user(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf
) -> None:
    with app.app_context():
        for user in db.session.scalars(select(User).where(User.merchant_id == 816)):
            db.session.delete(user)
        db.session.commit()
    answer = post(
        client_of(None),
        "/sign-up",
        **{**MOSS, "merchant_id": "816", "merchant_name": "F", "merchant_token": "right-token"},
    )
    assert answer.request.path == "/m/816/"
