"""Logging in and out, rate limits, and forged forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.extensions import limiter
from portal.people import passwords
from tests.views.conftest import PASSWORD, World, get, post, read
from tests.views.page import text_in
from tests.views.people_world import log_in, post_token, user_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def test_user_logs_in_and_out(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    assert log_in(client, world.owner.upper(), PASSWORD) == "/m/816/"
    assert client.get("/log-in").headers["Location"] == "/"
    answer = post(client, "/log-out")
    assert answer.request.path == "/"
    assert "re logged out" in answer.get_data(as_text=True)
    assert "/log-in" in client.get("/m/816/").headers["Location"]


def test_logging_out_requires_a_post(world: World, client_of: ClientOf) -> None:
    client = client_of(world.owner)
    assert client.get("/log-out").status_code == 405
    get(client, "/account")


def test_wrong_password_and_unknown_address_get_the_same_answer(world: World, client_of: ClientOf) -> None:
    said = set()
    for email, password in ((world.owner, "not the password"), ("nobody@fern.example", PASSWORD)):
        page = read(post(client_of(None), "/log-in", email=email, password=password))
        said.add(text_in(page, "[role=alert]"))
    assert said == {"That email and password don't match. Check both, or reset your password."}


def test_unknown_address_takes_as_much_work_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    real = passwords._hasher

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed.rpartition("$")[0].rpartition("$")[0])
            return real.verify(hashed, password)

        def hash(self, password: str) -> str:
            return real.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    known = real.hash("something")
    assert not passwords.is_correct(known, "another")
    assert not passwords.is_correct(None, "another")
    assert not passwords.is_correct(None, "a password no one has")
    assert len(verified) == 3
    assert len(set(verified)) == 1, "the hashes have different parameters"


@pytest.mark.parametrize("email", ["a\x00b@fern.example", "x" * 5000, "ünknown@fern.example"])
def test_malformed_address_just_does_not_match(world: World, client_of: ClientOf, email: str) -> None:
    page = read(post(client_of(None), "/log-in", email=email, password=PASSWORD))
    assert "don't match" in page.get_text()


@pytest.mark.parametrize(
    ("target", "lands"),
    [
        ("/m/816/settings", "/m/816/settings"),
        ("https://evil.example/", "/m/816/"),
        ("//evil.example/", "/m/816/"),
        ("/\\evil.example/", "/m/816/"),
        ("javascript:alert(1)", "/m/816/"),
    ],
)
def test_logging_in_returns_to_the_requested_page_but_never_to_another_site(
    world: World, client_of: ClientOf, target: str, lands: str
) -> None:
    client = client_of(None)
    read(client.get("/log-in", query_string={"next": target}))
    token = post_token(client)
    answer = client.post(
        "/log-in",
        query_string={"next": target},
        data={"email": world.owner, "password": PASSWORD, "csrf_token": token},
        follow_redirects=True,
    )
    assert answer.request.path == lands


def test_logging_in_starts_a_new_session(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    get(client, "/log-in")
    with client.session_transaction() as session:
        session["planted"] = "by an attacker"
        before = session["csrf_token"]
    log_in(client, world.owner, PASSWORD)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_logging_in_renews_an_outdated_hash(app: Flask, world: World, client_of: ClientOf) -> None:
    before = user_of(app, world.owner)
    log_in(client_of(None), world.owner, PASSWORD)
    after = user_of(app, world.owner)
    assert passwords.is_outdated(before.password_hash)
    assert not passwords.is_outdated(after.password_hash)
    assert passwords.is_correct(after.password_hash, PASSWORD)
    assert after.session_key == before.session_key


def test_remembered_user_stays_logged_in_until_logging_out(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    post(client, "/log-in", email=world.owner, password=PASSWORD, remember="y")
    assert client.get_cookie("remember_token") is not None
    client.delete_cookie("session")
    get(client, "/account")
    post(client, "/log-out")
    assert client.get_cookie("remember_token") is None


# Rate limits and forged forms


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)


@pytest.mark.usefixtures("limited")
def test_password_guessing_is_limited_with_a_clear_page(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    for _ in range(10):
        assert post(client, "/log-in", email=world.owner, password="guess").status_code == 200
    page = read(post(client, "/log-in", email=world.owner, password=PASSWORD), 429)
    assert text_in(page, "h1") == "Too many attempts"
    assert "Wait a minute" in page.get_text()
    get(client, "/log-in")


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(
    ("url", "fields", "allowed"),
    [
        ("/sign-up", {"merchant_id": "816"}, 10),
        ("/forgot-password", {"email": "owner@fern.example"}, 5),
        ("/reset-password/x", {}, 10),
        ("/invitation/x", {}, 10),
    ],
)
def test_other_public_forms_are_rate_limited_too(
    world: World, client_of: ClientOf, url: str, fields: dict[str, str], allowed: int
) -> None:
    client = client_of(None)
    statuses = [post(client, url, **fields).status_code for _ in range(allowed + 1)]
    assert 429 not in statuses[:-1]
    assert statuses[-1] == 429


def test_form_without_its_csrf_token_changes_nothing(app: Flask, world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    page = read(client.post("/log-in", data={"email": world.owner, "password": PASSWORD}), 400)
    assert text_in(page, "h1") == "This form has expired"
    assert "/log-in" in client.get("/account").headers["Location"]
    other = client_of(world.owner)
    read(other.post("/log-out"), 400)
    get(other, "/account")
