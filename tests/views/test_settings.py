"""The settings of a merchant: what a person reads, what a button changes, who may press it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.crypto import unseal
from portal.extensions import db
from portal.models import AuditEntry, Merchant, Store, User
from portal.queue import Call, JobName
from tests.views.conftest import PASSWORD, World, get, post, read
from tests.views.page import one, section, text, text_in
from tests.views.test_auth import NEW_PASSWORD, link_in, log_in, mails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox

    ClientOf = Callable[[str | None], FlaskClient]

HOME = "/m/816/settings"
URLS = (
    HOME,
    f"{HOME}/sending/pause",
    f"{HOME}/sending/resume",
    f"{HOME}/test-mode/on",
    f"{HOME}/test-mode/off",
    f"{HOME}/credentials",
    f"{HOME}/colleagues",
    f"{HOME}/audit-trail",
)
CHANGES: tuple[tuple[str, dict[str, str]], ...] = (
    (HOME, {"submit_unpaid": "y"}),
    (f"{HOME}/sending/pause", {}),
    (f"{HOME}/test-mode/on", {}),
    (f"{HOME}/credentials", {"merchant_name": "Fern & Fable", "merchant_token": "right-token"}),
    (f"{HOME}/colleagues", {"email": "new@fern.example"}),
)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What the workers are woken for."""
    calls: list[Call] = []

    def wake(_connection: object, more: Iterable[Call]) -> None:
        calls.extend(more)

    monkeypatch.setattr("portal.queue.wake_if_possible", wake)
    return calls


@pytest.fixture(autouse=True)
def long_ago(app: Flask, world: World) -> None:
    """Everything was last looked at a day ago."""
    with app.app_context():
        db.session.get_one(Merchant, 816).rules_changed_at = utc_now() - timedelta(days=1)
        db.session.get_one(Store, world.store_id).next_poll_at = utc_now() + timedelta(days=1)
        db.session.commit()


def merchant(app: Flask) -> Merchant:
    with app.app_context():
        return db.session.get_one(Merchant, 816)


def trail(app: Flask) -> list[tuple[str, str, str, str]]:
    """Who, what, about what and why, newest first, without what the world wrote."""
    with app.app_context():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.actor != "test").order_by(AuditEntry.id.desc())
        )
        return [(entry.actor, entry.action, entry.subject, entry.reason) for entry in entries]


def looked_at_again(app: Flask, world: World, woken: list[Call]) -> bool:
    with app.app_context():
        polled_now = db.session.get_one(Store, world.store_id).next_poll_at
        assert polled_now is not None
        is_due = polled_now <= utc_now()
    recent = merchant(app).rules_changed_at > utc_now() - timedelta(minutes=1)
    return is_due and recent and Call(JobName.POLL, (world.store_id,)) in woken


# Who may


@pytest.mark.parametrize("url", URLS)
def test_settings_are_for_ones_own_merchant(world: World, client_of: ClientOf, url: str) -> None:
    get(client_of(world.owner), url)
    get(client_of(world.support), url)
    get(client_of(world.stranger), url, 404)
    assert client_of(None).get(url).headers["Location"].startswith("/log-in?next=")


@pytest.mark.parametrize(("url", "fields"), CHANGES)
def test_a_stranger_changes_nothing(
    app: Flask, world: World, client_of: ClientOf, url: str, fields: dict[str, str]
) -> None:
    assert post(client_of(world.stranger), url, **fields).status_code == 404
    assert trail(app) == []


@pytest.mark.parametrize(("url", "fields"), CHANGES)
def test_support_says_why(
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


def test_a_merchant_is_not_asked_why(world: World, client_of: ClientOf) -> None:
    for url in URLS:
        assert not get(client_of(world.owner), url).select("input[name=reason]")


# Sending


def test_sending_is_paused_and_resumed(app: Flask, world: World, client_of: ClientOf, woken: list[Call]) -> None:
    client = client_of(world.owner)
    assert "Pause sending" in text(section(get(client, HOME), "sending"))

    page = read(post(client, f"{HOME}/sending/pause"))
    assert "Sending is paused" in page.get_text()
    assert "Resume sending" in text(section(page, "sending"))
    assert merchant(app).paused
    assert looked_at_again(app, world, woken)

    read(post(client, f"{HOME}/sending/pause"))
    assert merchant(app).paused, "pressed twice is still paused"

    assert "Sending goes on" in read(post(client, f"{HOME}/sending/resume")).get_text()
    assert not merchant(app).paused
    assert [action for _, action, _, _ in trail(app)] == ["sending resumed", "sending paused"]


def test_test_mode_is_switched_on_and_off(app: Flask, world: World, client_of: ClientOf, woken: list[Call]) -> None:
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/test-mode/on"))
    assert "Switch test mode off" in text(section(page, "sending"))
    assert merchant(app).test_mode
    assert looked_at_again(app, world, woken)
    read(post(client, f"{HOME}/test-mode/off"))
    assert not merchant(app).test_mode
    assert [action for _, action, _, _ in trail(app)] == ["test mode off", "test mode on"]


def test_the_options_say_what_was_changed(app: Flask, world: World, client_of: ClientOf, woken: list[Call]) -> None:
    client = client_of(world.owner)
    page = read(post(client, HOME, submit_unpaid="y"))
    assert one(page, "input[name=submit_unpaid]").has_attr("checked")
    assert merchant(app).submit_unpaid
    assert not merchant(app).ignore_items_without_sku
    assert looked_at_again(app, world, woken)

    read(post(client, HOME, ignore_items_without_sku="y"))
    assert not merchant(app).submit_unpaid
    assert merchant(app).ignore_items_without_sku
    assert [subject for _, _, subject, _ in trail(app)] == [
        "submit unpaid orders: off, ignore items without a SKU: on",
        "submit unpaid orders: on",
    ]
    assert "Nothing was changed" in read(post(client, HOME, ignore_items_without_sku="y")).get_text()
    assert len(trail(app)) == 2


def test_the_page_leads_to_the_territories_and_the_store(world: World, client_of: ClientOf) -> None:
    page = get(client_of(world.owner), HOME)
    links = {str(link["href"]) for link in page.select("a[href]")}
    assert {"/m/816/shipping", f"{HOME}/credentials", f"{HOME}/colleagues"} <= links
    assert [link for link in links if link.lower().startswith(("/connect", "/bigcartel"))]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Not live yet"),
        ({"live": True}, "Connected"),
        ({"live": True, "reconnect_needed_at": utc_now()}, "Reconnect needed"),
        ({"sealed_token": ""}, "Disconnected"),
    ],
)
def test_the_store_says_how_it_is(
    app: Flask, world: World, client_of: ClientOf, columns: dict[str, Any], words: str
) -> None:
    with app.app_context():
        store = db.session.get_one(Store, world.store_id)
        for name, value in columns.items():
            setattr(store, name, value)
        db.session.commit()
    assert words in text(section(get(client_of(world.owner), HOME), "stores"))


# Credentials


def test_new_credentials_are_checked_kept_and_never_shown(
    app: Flask, world: World, warehouse: Sandbox, client_of: ClientOf, woken: list[Call]
) -> None:
    with app.app_context():
        stopped = db.session.get_one(Merchant, 816)
        stopped.credentials_refused_at = utc_now()
        stopped.credentials_refused_words = "Invalid MerchantToken"
        db.session.commit()
    client = client_of(world.owner)
    assert "Nothing is sent until they are entered anew" in text(section(get(client, HOME), "warehouse"))

    answer = post(client, f"{HOME}/credentials", merchant_name=" Fern & Fable Ltd", merchant_token="right-token ")

    page = read(answer)
    assert answer.request.path == HOME
    assert "accepts the credentials, and they are saved." in page.get_text()
    assert "until they are entered anew" not in page.get_text()
    kept = merchant(app)
    assert (kept.name, kept.credentials_refused_at, kept.credentials_refused_words) == ("Fern & Fable Ltd", None, "")
    assert unseal(kept.sealed_token, app.config["SETTINGS"].token_keys) == "right-token"
    assert looked_at_again(app, world, woken)
    assert {Call(JobName.SUBMIT, (816,)), Call(JobName.SETTLE, (816,)), Call(JobName.TRACK, (816,))} <= set(woken)
    for url in URLS:
        assert "right-token" not in str(get(client, url))
    assert [action for _, action, _, _ in trail(app)] == ["merchant credentials replaced"]


@pytest.mark.parametrize(("fault", "sentence"), [("", "does not accept"), ("status", "cannot be reached")])
def test_credentials_that_the_warehouse_does_not_confirm_change_nothing(
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


# Colleagues


def test_a_colleague_is_invited_by_mail_and_joins(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/colleagues", email=" New@Fern.example "))
    assert "A mail with a link is on its way to new@fern.example" in page.get_text()
    assert "Withdraw the invitation of new@fern.example" in " ".join(page.get_text().split())
    (mail,) = mails(tmp_path / "mail")
    assert mail.startswith("Invitation to Fern & Fable\nnew@fern.example\n")
    assert world.owner in mail

    joined = client_of(None)
    assert post(joined, link_in(mail), password=NEW_PASSWORD).request.path == "/m/816/"

    page = get(client, f"{HOME}/colleagues")
    assert "new@fern.example" in page.get_text()
    assert "Withdraw" not in page.get_text()
    get(joined, HOME)


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("colleague@fern.example", "a colleague already"),
        ("stranger@other.example", "an account of its own already"),
        ("nobody", "not an e-mail address"),
        ("a@b.example, c@d.example", "not an e-mail address"),
        ("", "Enter your e-mail address"),
    ],
)
def test_whom_one_cannot_invite(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path, email: str, sentence: str
) -> None:
    page = read(post(client_of(world.owner), f"{HOME}/colleagues", email=email))
    assert sentence in text_in(page, ".invalid-feedback")
    assert mails(tmp_path / "mail") == []
    assert trail(app) == []


def test_an_invitation_that_could_not_be_mailed_is_kept(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/colleagues", email="new@fern.example"))
    assert "The mail could not be sent: the mail server cannot be reached" in text_in(page, "[role=alert]")
    assert "Withdraw" in page.get_text()

    (tmp_path / "mail").unlink()
    read(post(client, f"{HOME}/colleagues", email="new@fern.example"))
    (mail,) = mails(tmp_path / "mail")
    get(client_of(None), link_in(mail))


def test_a_withdrawn_invitation_opens_nothing(app: Flask, world: World, client_of: ClientOf, tmp_path: Path) -> None:
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/colleagues", email="new@fern.example"))
    withdraw = str(one(page, "a[href*=withdraw]")["href"])
    get(client_of(world.stranger), withdraw, 404)
    get(client_of(world.stranger), withdraw.replace("816", "900"), 404)
    assert "new@fern.example" in get(client, withdraw).get_text()

    page = read(post(client, withdraw))

    assert "does not work any more" in page.get_text()
    get(client, withdraw, 404)
    (mail,) = mails(tmp_path / "mail")
    get(client_of(None), link_in(mail), 404)


def test_a_removed_colleague_is_out_at_once(app: Flask, world: World, client_of: ClientOf) -> None:
    client, colleague = client_of(world.owner), client_of(world.colleague)
    get(colleague, HOME)
    page = get(client, f"{HOME}/colleagues")
    remove = str(one(page, "a[href$='/remove']")["href"])
    get(client_of(world.stranger), remove, 404)
    get(client_of(world.stranger), remove.replace("816", "900"), 404)
    assert world.colleague in get(client, remove).get_text()
    get(colleague, HOME)

    page = read(post(client, remove))

    assert "is removed, and logged out everywhere" in page.get_text()
    assert "/log-in" in colleague.get(HOME).headers["Location"]
    assert log_in(client_of(None), world.colleague, PASSWORD) == "/log-in"
    assert trail(app) == [(world.owner, "colleague removed", world.colleague, "")]


def test_somebody_always_stays(app: Flask, world: World, client_of: ClientOf) -> None:
    with app.app_context():
        ids = {user.email: user.id for user in db.session.scalars(select(User))}
    answer = read(post(client_of(world.owner), f"{HOME}/colleagues/{ids[world.owner]}/remove"))
    assert "At least one person stays" in answer.get_text()
    url = f"/m/900/settings/colleagues/{ids[world.stranger]}/remove"
    answer = read(post(client_of(world.support), url, reason="tidying"))
    assert "At least one person stays" in answer.get_text()
    with app.app_context():
        assert set(db.session.scalars(select(User.email))) == set(ids)


# Audit trail


def test_the_audit_trail_pages_newest_first(app: Flask, world: World, client_of: ClientOf) -> None:
    with app.app_context():
        db.session.add_all(
            AuditEntry(at=utc_now(), actor="somebody", merchant_id=816, action="order retried", subject=f"N-{number}")
            for number in range(60)
        )
        db.session.add(AuditEntry(at=utc_now(), actor="other", merchant_id=900, action="order closed", subject="X-1"))
        db.session.commit()
    client = client_of(world.owner)
    first = get(client, f"{HOME}/audit-trail")
    rows = [row.get_text(" ", strip=True) for row in first.select("tbody tr")]
    assert len(rows) == 50
    assert "Order retried: N-59" in rows[0]
    second = get(client, str(one(first, "a[rel=next]")["href"]))
    rest = [row.get_text(" ", strip=True) for row in second.select("tbody tr")]
    assert "Order retried: N-9" in rest[0]
    assert "Merchant added" in rest[-1]
    assert len(rest) == 12
    assert "X-1" not in str(first) + str(second)


@pytest.mark.parametrize("number", ["2147483648", "99999999999999999999999"])
def test_a_number_that_no_row_can_have_is_just_not_there(world: World, client_of: ClientOf, number: str) -> None:
    client = client_of(world.support)
    get(client, f"/m/{number}/settings", 404)
    get(client, f"{HOME}/colleagues/{number}/remove", 404)
    get(client, f"{HOME}/invitations/{number}/withdraw", 404)
    get(client, f"{HOME}/audit-trail?before={number}")
    get(client, f"{HOME}/audit-trail?before=-{number}")


def test_what_a_person_wrote_is_shown_as_text(app: Flask, world: World, client_of: ClientOf) -> None:
    with app.app_context():
        db.session.get_one(Merchant, 816).name = "<script>alert(1)</script>"
        db.session.add(
            AuditEntry(at=utc_now(), actor="<b>", merchant_id=816, action="<i>done</i>", subject="<u>", reason="<s>")
        )
        db.session.commit()
    for url in URLS:
        page = get(client_of(world.owner), url)
        assert not page.select("b, i, u, s")
