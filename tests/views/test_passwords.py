"""Changing a password, and resetting a forgotten one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from itsdangerous import TimestampSigner

from portal import mail
from portal.extensions import db
from portal.people import tokens
from tests.conftest import SECRET_KEY
from tests.views.conftest import PASSWORD, World, get, post, read
from tests.views.page import text_in
from tests.views.people_world import NEW_PASSWORD, entries_of, link_in, log_in, mails, post_token, user_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def test_changing_the_password_ends_all_other_sessions(app: Flask, world: World, client_of: ClientOf) -> None:
    here, there = client_of(world.owner), client_of(world.owner)
    get(there, "/account")
    answer = post(here, "/account", present=PASSWORD, password=NEW_PASSWORD)
    assert "logged out everywhere else" in answer.get_data(as_text=True)
    get(here, "/account")
    assert "/log-in" in there.get("/account").headers["Location"]
    assert log_in(client_of(None), world.owner, PASSWORD) == "/log-in"
    assert log_in(client_of(None), world.owner, NEW_PASSWORD) == "/m/816/"
    with app.app_context():
        assert [entry.actor for entry in db.session.scalars(entries_of("password changed"))] == [world.owner]


@pytest.mark.parametrize(
    ("present", "password", "sentence"),
    [
        ("not mine", NEW_PASSWORD, "isn't your current password"),
        (PASSWORD, "short", "Use at least 10 characters"),
        (PASSWORD, "OWNER@fern.example", "email address can't be your password"),
        ("", NEW_PASSWORD, "Enter your current password"),
    ],
)
def test_rejected_password_change_says_why(
    app: Flask, world: World, client_of: ClientOf, present: str, password: str, sentence: str
) -> None:
    before = user_of(app, world.owner).session_key
    page = read(post(client_of(world.owner), "/account", present=present, password=password))
    assert sentence in text_in(page, ".invalid-feedback")
    assert user_of(app, world.owner).session_key == before


def test_account_page_shows_the_users_access(world: World, client_of: ClientOf) -> None:
    assert "Fern & Fable" in get(client_of(world.owner), "/account").get_text()
    assert "Support: every merchant" in get(client_of(world.support), "/account").get_text()
    assert client_of(None).get("/account").headers["Location"] == "/log-in?next=/account"


def test_forgotten_password_is_reset_with_a_link_that_works_once(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    logged_in, client = client_of(world.owner), client_of(None)
    page = read(post(client, "/forgot-password", email=" Owner@Fern.example"))
    assert text_in(page, "h1") == "Check your email"
    (text,) = mails(tmp_path / "mail")
    assert text.startswith(f"Reset your password\n{world.owner}\n")
    link = link_in(text)
    assert world.owner in get(client, link).get_text()
    assert "Use at least 10 characters" in read(post(client, link, password="short")).get_text()

    answer = post(client, link, password=NEW_PASSWORD)

    assert answer.request.path == "/log-in"
    assert "Your new password is set" in answer.get_data(as_text=True)
    assert log_in(client_of(None), world.owner, NEW_PASSWORD) == "/m/816/"
    assert "/log-in" in logged_in.get("/account").headers["Location"]
    for again in (client.get(link), post(client, link, password="yet another password")):
        assert "This link no longer works" in read(again, 404).get_text()
    assert log_in(client_of(None), world.owner, NEW_PASSWORD) == "/m/816/"


def test_unknown_address_gets_the_same_answer_and_no_email(world: World, client_of: ClientOf, tmp_path: Path) -> None:
    client = client_of(None)
    answers = {
        post(client, "/forgot-password", email=email).get_data(as_text=True)
        for email in (world.owner, "nobody@fern.example")
    }
    assert len({re.sub(r'value="[^"]+"|X-CSRFToken": "[^"]+"', "", answer) for answer in answers}) == 1
    assert len(mails(tmp_path / "mail")) == 1


def test_failed_email_does_not_reveal_who_has_an_account(
    app: Flask, world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise mail.MailError("We couldn't send the email.")

    monkeypatch.setattr(mail, "send", fail)
    page = read(post(client_of(None), "/forgot-password", email=world.owner))
    assert text_in(page, "h1") == "Check your email"
    assert log_in(client_of(None), world.owner, PASSWORD) == "/m/816/"


def test_reset_link_uses_the_configured_host_not_the_requests(
    world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    client = client_of(None)
    data = {"email": world.owner, "csrf_token": post_token(client)}
    client.post("/forgot-password", data=data, headers={"Host": "localhost"}, base_url="http://localhost").close()
    (text,) = mails(tmp_path / "mail")
    assert "http://127.0.0.1:8000/reset-password/" in text


@pytest.mark.parametrize("kind", ["reset-password", "invitation"])
def test_forged_links_open_nothing(app: Flask, world: World, client_of: ClientOf, kind: str) -> None:
    secret = SECRET_KEY
    user = user_of(app, world.owner)
    for token in (
        "x",
        tokens.reset_token(user, "another secret"),
        tokens.reset_token(user, secret) if kind == "invitation" else tokens.invitation_token(user.id, secret),
        tokens.reset_token(user, secret)[:-2] + "AA",
        tokens.invitation_token(2**31 - 1, secret),
    ):
        page = get(client_of(None), f"/{kind}/{token}", 404)
        assert "This link no longer works" in page.get_text()


@pytest.mark.parametrize(("seconds", "works"), [(tokens.RESET_SECONDS - 5, True), (tokens.RESET_SECONDS + 5, False)])
def test_a_reset_link_works_for_an_hour(
    app: Flask, world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, seconds: int, works: bool
) -> None:
    now = TimestampSigner("x").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now - seconds)
    link = f"/reset-password/{tokens.reset_token(user_of(app, world.owner), SECRET_KEY)}"
    monkeypatch.undo()
    get(client_of(None), link, 200 if works else 404)
