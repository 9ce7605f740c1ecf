"""Logging in and out, and forged forms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import LogIn, User
from portal.people import log_ins, passwords
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
    passwords._dummy_hash.cache_clear()  # another test may have made it with a cheap hasher
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


def test_form_without_its_csrf_token_changes_nothing(app: Flask, world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    page = read(client.post("/log-in", data={"email": world.owner, "password": PASSWORD}), 400)
    assert text_in(page, "h1") == "This form has expired"
    assert "/log-in" in client.get("/account").headers["Location"]
    other = client_of(world.owner)
    read(other.post("/log-out"), 400)
    get(other, "/account")


# Log-ins that end


COOKIES = [("session",), ("remember_token",), ("session", "remember_token")]


def copied(app: Flask, client: FlaskClient, names: tuple[str, ...]) -> FlaskClient:
    """Return another browser with copies of these cookies."""
    thief = app.test_client()
    for name in names:
        cookie = client.get_cookie(name)
        assert cookie is not None
        thief.set_cookie(name, cookie.value)
    return thief


def is_logged_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def remembered(client: FlaskClient, email: str) -> FlaskClient:
    post(client, "/log-in", email=email, password=PASSWORD, remember="y")
    return client


@pytest.mark.parametrize("names", COOKIES)
def test_logging_out_ends_every_copy_of_the_cookies(
    app: Flask, world: World, client_of: ClientOf, names: tuple[str, ...]
) -> None:
    here, elsewhere = remembered(client_of(None), world.owner), remembered(client_of(None), world.owner)
    before, after = copied(app, here, names), copied(app, here, names)
    assert is_logged_in(before)
    post(here, "/log-out")
    assert not is_logged_in(before)
    assert not is_logged_in(after)
    assert not is_logged_in(here)
    assert is_logged_in(elsewhere)


def test_logging_in_again_ends_the_log_in_before(app: Flask, world: World, client_of: ClientOf) -> None:
    """For example when someone changes their password or accepts an invitation."""
    client = remembered(client_of(None), world.owner)
    copy = copied(app, client, ("session", "remember_token"))
    post(client, "/account", present=PASSWORD, password="a wholly new password")
    assert is_logged_in(client)
    assert not is_logged_in(copy)


def test_user_logs_out_everywhere_else(app: Flask, world: World, client_of: ClientOf) -> None:
    here, elsewhere = client_of(world.owner), remembered(client_of(None), world.owner)
    teammate = client_of(world.teammate)
    assert "logged in on 1 other device" in get(here, "/account").get_text()
    answer = post(here, "/account/log-out-elsewhere")
    assert "logged out everywhere else" in answer.get_data(as_text=True)
    assert "logged in on this device only" in answer.get_data(as_text=True)
    assert [is_logged_in(one) for one in (here, elsewhere, teammate)] == [True, False, True]


def test_removing_a_person_ends_their_log_ins(app: Flask, world: World, client_of: ClientOf) -> None:
    teammate = remembered(client_of(None), world.teammate)
    post(client_of(world.owner), f"/m/816/settings/colleagues/{user_of(app, world.teammate).id}/remove")
    assert not is_logged_in(teammate)


@pytest.mark.parametrize(
    ("is_remembered", "uses", "lasts"),
    [
        (False, [timedelta(hours=11, minutes=59)], True),
        (False, [timedelta(hours=12, minutes=1)], False),
        (False, [timedelta(hours=hours) for hours in (11, 22, 33)], True),
        (False, [timedelta(hours=hours) for hours in range(10, 180, 10)], False),
        (True, [timedelta(days=29)], True),
        (True, [timedelta(days=30, minutes=1)], False),
    ],
)
def test_log_ins_expire(app: Flask, world: World, is_remembered: bool, uses: list[timedelta], lasts: bool) -> None:
    user, began = user_of(app, world.owner), utc_now()
    with app.app_context():
        log_ins.start(db.session(), user, is_remembered=is_remembered, now=began)
        found = [log_ins.find_user(db.session(), user.get_id(), began + use) for use in uses]
        assert (found[-1] is not None) is lasts
        log_ins.delete_expired(db.session(), began + uses[-1])
        assert db.session.scalar(select(func.count()).select_from(LogIn)) == (1 if lasts else 0)


def test_a_copy_of_the_database_logs_nobody_in(app: Flask, world: World, client_of: ClientOf) -> None:
    remembered(client_of(None), world.owner)
    with app.app_context():
        log_in, user = db.session.execute(select(LogIn, User).join(User, User.id == LogIn.user_id)).one()
        for forged in (log_in.key_hash, f"{user.session_key}.{log_in.key_hash}", user.session_key, "", "."):
            assert log_ins.find_user(db.session(), forged, utc_now()) is None
