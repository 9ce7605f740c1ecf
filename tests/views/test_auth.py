"""Signing up, logging in and out, passwords, invitations that are accepted: what a person meets."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import func, select

from portal import mail
from portal.clock import utc_now
from portal.crypto import unseal
from portal.extensions import db, limiter
from portal.models import AuditEntry, Merchant, User
from portal.people import passwords, tokens
from tests.views.conftest import PASSWORD, World, get, post, read
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Select

    from sandbox.client import Sandbox

    ClientOf = Callable[[str | None], FlaskClient]

MOSS = {
    "email": " Owner@Moss.example ",
    "password": "seven mossy stones",
    "merchant_id": "817",
    "merchant_name": "Moss & Co",
    "merchant_token": " moss-token\n",
}
NEW_PASSWORD = "a wholly new password"


def mails(folder: Path) -> list[str]:
    """Subject, receiver and text of every mail, oldest first."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        found.append(f"{message['Subject']}\n{message['To']}\n{message.get_content()}")
    return found


def link_in(text: str) -> str:
    """The path of the link in a mail."""
    found = re.search(r"http://127\.0\.0\.1:8000(/\S+)", text)
    assert found
    return found[1]


def count(app: Flask, kind: type[User | Merchant | AuditEntry]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(kind)) or 0


def user_of(app: Flask, email: str) -> User:
    with app.app_context():
        return db.session.scalars(select(User).where(User.email == email)).one()


# Signing up


def test_a_merchant_signs_up_with_credentials_that_the_warehouse_accepts(
    app: Flask, warehouse: Sandbox, client_of: ClientOf
) -> None:
    client = client_of(None)
    page = get(client, "/sign-up")
    assert {"email", "password", "merchant_id", "merchant_name", "merchant_token"} <= {
        str(field["name"]) for field in page.select("input")
    }

    answer = post(client, "/sign-up", **MOSS)

    assert answer.request.path == "/m/817/"
    assert "The warehouse accepts your Merchant Id and Token." in answer.get_data(as_text=True)
    with app.app_context():
        merchant = db.session.get_one(Merchant, 817)
        assert (merchant.name, merchant.test_mode, merchant.paused) == ("Moss & Co", False, False)
        assert unseal(merchant.sealed_token, app.config["SETTINGS"].token_keys) == "moss-token"
        user = db.session.scalars(select(User)).one()
        assert (user.email, user.merchant_id, user.role) == ("owner@moss.example", 817, "merchant")
        assert passwords.is_right(user.password_hash, MOSS["password"])
        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action, entry.merchant_id) == ("owner@moss.example", "signed up", 817)
    get(client, "/account")


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"merchant_token": "another"}, "merchant_token", "does not accept this Merchant Id with this Merchant Token"),
        ({"merchant_id": "818"}, "merchant_token", "Invalid MerchantId"),
        ({"merchant_id": "99999999999"}, "merchant_id", "not a Merchant Id"),
        ({"merchant_id": "0"}, "merchant_id", "not a Merchant Id"),
        ({"merchant_id": "moss"}, "merchant_id", "not a Merchant Id"),
        ({"merchant_name": " \u200b "}, "merchant_name", "Enter the Merchant Name"),
        ({"merchant_token": "mo\x00ss"}, "merchant_token", "a character in it"),
        ({"email": "nobody"}, "email", "not an e-mail address"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email", "not an e-mail address"),
        ({"password": "short"}, "password", "at least 10 characters"),
        ({"password": "Owner@moss.example"}, "password", "is the e-mail address"),
        ({"password": "aaaaaaaaaaaa"}, "password", "one character over and over"),
    ],
)
def test_what_cannot_be_used_is_said_beside_its_field_and_nothing_is_stored(
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
        ("status", {"status": 503}, "cannot be reached at the moment"),
        ("reset_after", {}, "cannot be reached at the moment"),
        ("html", {}, "an answer that we do not understand"),
    ],
)
def test_without_a_clear_yes_of_the_warehouse_nothing_is_stored(
    app: Flask, warehouse: Sandbox, client_of: ClientOf, kind: str, details: dict[str, Any], sentence: str
) -> None:
    warehouse.fault("inventory", kind, times=None, **details)
    page = read(post(client_of(None), "/sign-up", **MOSS))
    alert = text_in(page, "[role=alert]")
    assert sentence in alert
    assert "Nothing was saved" in alert
    assert count(app, User) == count(app, Merchant) == 0


def test_an_unreachable_warehouse_is_said_and_nothing_is_stored(app: Flask, client_of: ClientOf) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], fcp_api_url="http://127.0.0.1:1/xml")
    page = read(post(client_of(None), "/sign-up", **MOSS))
    assert "cannot be reached at the moment" in text_in(page, "[role=alert]")
    assert count(app, User) == count(app, Merchant) == 0


def test_a_merchant_that_is_here_is_not_claimed_again(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf
) -> None:
    people = count(app, User)
    fields = {**MOSS, "merchant_id": "816", "merchant_name": "Mine now", "merchant_token": "right-token"}
    page = read(post(client_of(None), "/sign-up", **fields))
    assert "Ask a colleague who uses it for an invitation" in page.get_text()
    assert count(app, User) == people
    with app.app_context():
        assert db.session.get_one(Merchant, 816).name == "Fern & Fable"


def test_who_cannot_show_the_token_does_not_learn_who_is_here(
    world: World, warehouse: Sandbox, client_of: ClientOf
) -> None:
    fields = {**MOSS, "email": world.owner, "merchant_id": "816", "merchant_token": "guessed"}
    page = read(post(client_of(None), "/sign-up", **fields))
    assert "does not accept" in text_in(page, ".invalid-feedback")


def test_an_address_with_an_account_cannot_sign_up_for_another_merchant(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf
) -> None:
    page = read(post(client_of(None), "/sign-up", **{**MOSS, "email": world.owner}))
    assert "has an account already" in page.get_text()
    with app.app_context():
        assert db.session.get(Merchant, 817) is None


def test_a_merchant_added_on_the_command_line_is_taken_over_by_its_first_person(
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


# Logging in and out


def log_in(client: FlaskClient, email: str, password: str, at: str = "/log-in") -> str:
    """Returns the path where the person lands."""
    return post(client, at, email=email, password=password).request.path


def test_a_person_logs_in_and_out(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    assert log_in(client, world.owner.upper(), PASSWORD) == "/m/816/"
    assert client.get("/log-in").headers["Location"] == "/"
    answer = post(client, "/log-out")
    assert answer.request.path == "/"
    assert "You are logged out" in answer.get_data(as_text=True)
    assert "/log-in" in client.get("/m/816/").headers["Location"]


def test_log_out_is_no_link(world: World, client_of: ClientOf) -> None:
    client = client_of(world.owner)
    assert client.get("/log-out").status_code == 405
    get(client, "/account")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(world: World, client_of: ClientOf) -> None:
    said = set()
    for email, password in ((world.owner, "not the password"), ("nobody@fern.example", PASSWORD)):
        page = read(post(client_of(None), "/log-in", email=email, password=password))
        said.add(text_in(page, "[role=alert]"))
    assert said == {"The e-mail address and the password do not fit. Check both, or set a new password."}


def test_an_unknown_address_takes_as_much_work_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert not passwords.is_right(known, "another")
    assert not passwords.is_right(None, "another")
    assert not passwords.is_right(None, "nobody has this password")
    assert len(verified) == 3
    assert len(set(verified)) == 1, "the same parameters"


@pytest.mark.parametrize("email", ["a\x00b@fern.example", "x" * 5000, "ünknown@fern.example"])
def test_odd_addresses_only_do_not_fit(world: World, client_of: ClientOf, email: str) -> None:
    page = read(post(client_of(None), "/log-in", email=email, password=PASSWORD))
    assert "do not fit" in page.get_text()


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
def test_after_log_in_a_person_lands_where_they_wanted_but_never_outside(
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


def post_token(client: FlaskClient) -> str:
    return str(one(get(client, "/log-in"), "input[name=csrf_token]")["value"])


def test_the_session_is_a_new_one_at_log_in(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    get(client, "/log-in")
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        before = session["csrf_token"]
    log_in(client, world.owner, PASSWORD)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_an_old_hash_is_renewed_at_log_in(app: Flask, world: World, client_of: ClientOf) -> None:
    before = user_of(app, world.owner)
    log_in(client_of(None), world.owner, PASSWORD)
    after = user_of(app, world.owner)
    assert passwords.is_outdated(before.password_hash)
    assert not passwords.is_outdated(after.password_hash)
    assert passwords.is_right(after.password_hash, PASSWORD)
    assert after.session_key == before.session_key


def test_who_asks_to_be_remembered_stays_until_log_out(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    post(client, "/log-in", email=world.owner, password=PASSWORD, remember="y")
    assert client.get_cookie("remember_token") is not None
    client.delete_cookie("session")
    get(client, "/account")
    post(client, "/log-out")
    assert client.get_cookie("remember_token") is None


# Limits and forgery


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)


@pytest.mark.usefixtures("limited")
def test_guessing_a_password_is_slowed_down_with_a_page_that_says_so(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    for _ in range(10):
        assert post(client, "/log-in", email=world.owner, password="guess").status_code == 200
    page = read(post(client, "/log-in", email=world.owner, password=PASSWORD), 429)
    assert text_in(page, "h1") == "That was a bit fast"
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
def test_the_other_doors_are_limited_too(
    world: World, client_of: ClientOf, url: str, fields: dict[str, str], allowed: int
) -> None:
    client = client_of(None)
    statuses = [post(client, url, **fields).status_code for _ in range(allowed + 1)]
    assert 429 not in statuses[:-1]
    assert statuses[-1] == 429


def test_a_form_without_its_token_changes_nothing(app: Flask, world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    page = read(client.post("/log-in", data={"email": world.owner, "password": PASSWORD}), 400)
    assert text_in(page, "h1") == "This form is out of date"
    assert "/log-in" in client.get("/account").headers["Location"]
    other = client_of(world.owner)
    read(other.post("/log-out"), 400)
    get(other, "/account")


# The password


def test_changing_the_password_ends_every_other_session(app: Flask, world: World, client_of: ClientOf) -> None:
    here, there = client_of(world.owner), client_of(world.owner)
    get(there, "/account")
    answer = post(here, "/account", present=PASSWORD, password=NEW_PASSWORD)
    assert "Everywhere else you are logged out" in answer.get_data(as_text=True)
    get(here, "/account")
    assert "/log-in" in there.get("/account").headers["Location"]
    assert log_in(client_of(None), world.owner, PASSWORD) == "/log-in"
    assert log_in(client_of(None), world.owner, NEW_PASSWORD) == "/m/816/"
    with app.app_context():
        assert [entry.actor for entry in db.session.scalars(_entries("password changed"))] == [world.owner]


@pytest.mark.parametrize(
    ("present", "password", "sentence"),
    [
        ("not mine", NEW_PASSWORD, "not your present password"),
        (PASSWORD, "short", "at least 10 characters"),
        (PASSWORD, "OWNER@fern.example", "is the e-mail address"),
        ("", NEW_PASSWORD, "Enter your present password"),
    ],
)
def test_a_password_that_is_not_changed_says_why(
    app: Flask, world: World, client_of: ClientOf, present: str, password: str, sentence: str
) -> None:
    before = user_of(app, world.owner).session_key
    page = read(post(client_of(world.owner), "/account", present=present, password=password))
    assert sentence in text_in(page, ".invalid-feedback")
    assert user_of(app, world.owner).session_key == before


def test_the_account_page_says_who_one_is(world: World, client_of: ClientOf) -> None:
    assert "Fern & Fable" in get(client_of(world.owner), "/account").get_text()
    assert "with support" in get(client_of(world.support), "/account").get_text()
    assert client_of(None).get("/account").headers["Location"] == "/log-in?next=/account"


def test_a_forgotten_password_is_set_by_a_link_that_works_once(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    logged_in, client = client_of(world.owner), client_of(None)
    page = read(post(client, "/forgot-password", email=" Owner@Fern.example"))
    assert text_in(page, "h1") == "A mail is on its way"
    (text,) = mails(tmp_path / "mail")
    assert text.startswith(f"Set a new password\n{world.owner}\n")
    link = link_in(text)
    assert world.owner in get(client, link).get_text()
    assert "at least 10 characters" in read(post(client, link, password="short")).get_text()

    answer = post(client, link, password=NEW_PASSWORD)

    assert answer.request.path == "/log-in"
    assert "Your password is set" in answer.get_data(as_text=True)
    assert log_in(client_of(None), world.owner, NEW_PASSWORD) == "/m/816/"
    assert "/log-in" in logged_in.get("/account").headers["Location"]
    for again in (client.get(link), post(client, link, password="yet another password")):
        assert "This link does not work any more" in read(again, 404).get_text()
    assert log_in(client_of(None), world.owner, NEW_PASSWORD) == "/m/816/"


def test_an_unknown_address_gets_the_same_answer_and_no_mail(world: World, client_of: ClientOf, tmp_path: Path) -> None:
    client = client_of(None)
    answers = {
        post(client, "/forgot-password", email=email).get_data(as_text=True)
        for email in (world.owner, "nobody@fern.example")
    }
    assert len({re.sub(r'value="[^"]+"|X-CSRFToken": "[^"]+"', "", answer) for answer in answers}) == 1
    assert len(mails(tmp_path / "mail")) == 1


def test_a_mail_that_cannot_be_sent_does_not_tell_who_has_an_account(
    app: Flask, world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise mail.MailError("The mail could not be sent.")

    monkeypatch.setattr(mail, "send", fail)
    page = read(post(client_of(None), "/forgot-password", email=world.owner))
    assert text_in(page, "h1") == "A mail is on its way"
    assert log_in(client_of(None), world.owner, PASSWORD) == "/m/816/"


def test_the_link_names_the_portal_by_its_settings_not_by_what_the_browser_says(
    world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    client = client_of(None)
    data = {"email": world.owner, "csrf_token": post_token(client)}
    client.post("/forgot-password", data=data, headers={"Host": "localhost"}, base_url="http://localhost").close()
    (text,) = mails(tmp_path / "mail")
    assert "http://127.0.0.1:8000/reset-password/" in text


@pytest.mark.parametrize("kind", ["reset-password", "invitation"])
def test_links_that_are_not_ours_open_nothing(app: Flask, world: World, client_of: ClientOf, kind: str) -> None:
    secret = "only for tests"
    user = user_of(app, world.owner)
    for token in (
        "x",
        tokens.reset_token(user, "another secret"),
        tokens.reset_token(user, secret) if kind == "invitation" else tokens.invitation_token(user.id, secret),
        tokens.reset_token(user, secret)[:-2] + "AA",
        tokens.invitation_token(2**31 - 1, secret),
    ):
        page = get(client_of(None), f"/{kind}/{token}", 404)
        assert "This link does not work any more" in page.get_text()


@pytest.mark.parametrize(("seconds", "works"), [(tokens.RESET_SECONDS - 5, True), (tokens.RESET_SECONDS + 5, False)])
def test_a_reset_link_works_for_an_hour(
    app: Flask, world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, seconds: int, works: bool
) -> None:
    now = TimestampSigner("x").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now - seconds)
    link = f"/reset-password/{tokens.reset_token(user_of(app, world.owner), 'only for tests')}"
    monkeypatch.undo()
    get(client_of(None), link, 200 if works else 404)


# Invitations


def invite(app: Flask, world: World, email: str, *, days: float = 0) -> str:
    with app.app_context():
        entry = AuditEntry(
            at=utc_now() - timedelta(days=days),
            actor=world.owner,
            merchant_id=816,
            action="colleague invited",
            subject=email,
        )
        db.session.add(entry)
        db.session.commit()
        return f"/invitation/{tokens.invitation_token(entry.id, 'only for tests')}"


def test_an_invitation_is_accepted_once(app: Flask, world: World, client_of: ClientOf) -> None:
    link, client = invite(app, world, "new@fern.example"), client_of(None)
    page = get(client, link)
    assert "Join Fern & Fable" in page.get_text()
    assert world.owner in page.get_text()
    assert "is the e-mail address" in read(post(client, link, password="new@fern.example")).get_text()

    assert post(client, link, password=NEW_PASSWORD).request.path == "/m/816/"

    assert user_of(app, "new@fern.example").merchant_id == 816
    get(client_of(None), link, 404)
    with app.app_context():
        assert [entry.actor for entry in db.session.scalars(_entries("invitation accepted"))] == ["new@fern.example"]


def test_an_invitation_ends(app: Flask, world: World, client_of: ClientOf) -> None:
    late = invite(app, world, "late@fern.example", days=8)
    repeated = invite(app, world, "twice@fern.example")
    again = invite(app, world, "twice@fern.example")
    known = invite(app, world, world.stranger)
    removed = invite(app, world, "removed@fern.example")
    with app.app_context():
        db.session.add(
            AuditEntry(
                at=utc_now(), actor=world.owner, merchant_id=816, action="colleague removed",
                subject="removed@fern.example",
            )
        )  # fmt: skip
        db.session.commit()
    for link in (late, repeated, known, removed):
        get(client_of(None), link, 404)
    get(client_of(None), again)
    with app.app_context():
        db.session.delete(db.session.scalars(select(User).where(User.email == world.owner)).one())
        db.session.commit()
    get(client_of(None), again, 404)


def _entries(action: str) -> Select[AuditEntry]:
    return select(AuditEntry).where(AuditEntry.action == action)
