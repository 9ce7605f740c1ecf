"""A merchant's team: inviting and removing people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import User
from tests.views.conftest import PASSWORD, World, get, post, read
from tests.views.page import one, text_in
from tests.views.people_world import NEW_PASSWORD, link_in, log_in, mails
from tests.views.settings_world import HOME, trail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def test_teammate_is_invited_by_email_and_joins(app: Flask, world: World, client_of: ClientOf, tmp_path: Path) -> None:
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/colleagues", email=" New@Fern.example "))
    assert "We emailed an invitation to new@fern.example" in page.get_text()
    assert "Withdraw invitation for new@fern.example" in " ".join(page.get_text().split())
    (mail,) = mails(tmp_path / "mail")
    assert mail.startswith("Invitation to join Fern & Fable\nnew@fern.example\n")
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
        ("teammate@fern.example", "already on your team"),
        ("stranger@other.example", "already has an account"),
        ("nobody", "isn't an email address"),
        ("a@b.example, c@d.example", "isn't an email address"),
        ("", "Enter an email address"),
    ],
)
def test_invalid_invitation_is_explained_and_not_sent(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path, email: str, sentence: str
) -> None:
    page = read(post(client_of(world.owner), f"{HOME}/colleagues", email=email))
    assert sentence in text_in(page, ".invalid-feedback")
    assert mails(tmp_path / "mail") == []
    assert trail(app) == []


def test_invitation_is_saved_when_its_email_fails(
    app: Flask, world: World, client_of: ClientOf, tmp_path: Path
) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/colleagues", email="new@fern.example"))
    assert "We couldn't send the email: we couldn't reach the mail server" in text_in(page, "[role=alert]")
    assert "Withdraw" in page.get_text()

    (tmp_path / "mail").unlink()
    read(post(client, f"{HOME}/colleagues", email="new@fern.example"))
    (mail,) = mails(tmp_path / "mail")
    get(client_of(None), link_in(mail))


def test_withdrawn_invitation_no_longer_works(app: Flask, world: World, client_of: ClientOf, tmp_path: Path) -> None:
    client = client_of(world.owner)
    page = read(post(client, f"{HOME}/colleagues", email="new@fern.example"))
    withdraw = str(one(page, "a[href*=withdraw]")["href"])
    get(client_of(world.stranger), withdraw, 404)
    get(client_of(world.stranger), withdraw.replace("816", "900"), 404)
    assert "new@fern.example" in get(client, withdraw).get_text()

    page = read(post(client, withdraw))

    assert "no longer works" in page.get_text()
    get(client, withdraw, 404)
    (mail,) = mails(tmp_path / "mail")
    get(client_of(None), link_in(mail), 404)


def test_removed_teammate_is_logged_out_immediately(app: Flask, world: World, client_of: ClientOf) -> None:
    client, teammate = client_of(world.owner), client_of(world.teammate)
    get(teammate, HOME)
    page = get(client, f"{HOME}/colleagues")
    remove = str(one(page, "a[href$='/remove']")["href"])
    get(client_of(world.stranger), remove, 404)
    get(client_of(world.stranger), remove.replace("816", "900"), 404)
    assert world.teammate in get(client, remove).get_text()
    get(teammate, HOME)

    page = read(post(client, remove))

    assert "was removed and logged out everywhere" in page.get_text()
    assert "/log-in" in teammate.get(HOME).headers["Location"]
    assert log_in(client_of(None), world.teammate, PASSWORD) == "/log-in"
    assert trail(app) == [(world.owner, "teammate removed", world.teammate, "")]


def test_nobody_can_remove_themselves_or_the_last_person(app: Flask, world: World, client_of: ClientOf) -> None:
    with app.app_context():
        ids = {user.email: user.id for user in db.session.scalars(select(User))}
    answer = read(post(client_of(world.owner), f"{HOME}/colleagues/{ids[world.owner]}/remove"))
    assert "You can't remove yourself or the last person" in answer.get_text()
    url = f"/m/900/settings/colleagues/{ids[world.stranger]}/remove"
    answer = read(post(client_of(world.support), url, reason="tidying"))
    assert "You can't remove yourself or the last person" in answer.get_text()
    with app.app_context():
        assert set(db.session.scalars(select(User.email))) == set(ids)
