"""The choice of emails on the account page, and the unsubscribe link of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.messages.unsubscribe import unsubscribe_url
from portal.models import Alerts
from tests.views.conftest import World, get, post
from tests.views.page import text_in
from tests.views.people_world import user_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

KIND, LABEL = "orders_rejected", "Orders rejected by the warehouse"


def _link(app: Flask, email: str) -> str:
    settings = app.config["SETTINGS"]
    return unsubscribe_url(settings, user_of(app, email).id, KIND).removeprefix(settings.public_url)


def test_one_click_unsubscribes_one_person_from_one_kind(
    app: Flask, world: World, client_of: Callable[[str | None], FlaskClient]
) -> None:
    mail_program = client_of(None)
    for _ in range(2):
        answer = mail_program.post(_link(app, world.owner), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert LABEL in answer.get_data(as_text=True)
    assert user_of(app, world.owner).muted == [KIND]
    assert user_of(app, world.teammate).muted == []


def test_opening_the_link_changes_nothing(
    app: Flask, world: World, client_of: Callable[[str | None], FlaskClient]
) -> None:
    page = get(client_of(None), _link(app, world.owner))
    assert "Stop these emails" in text_in(page, "main form button")
    assert user_of(app, world.owner).muted == []


def test_forged_link_is_refused(app: Flask, world: World, client_of: Callable[[str | None], FlaskClient]) -> None:
    assert client_of(None).post(f"{_link(app, world.owner)}x").status_code == 404
    assert user_of(app, world.owner).muted == []


def test_person_turns_a_kind_on_again_and_chooses(app: Flask, world: World, owner: FlaskClient) -> None:
    owner.post(_link(app, world.owner))
    assert LABEL in text_in(get(owner, "/account"), "main")
    post(owner, "/account/emails/resume", kind=KIND)
    assert user_of(app, world.owner).muted == []
    post(owner, "/account/emails", alerts="stops")
    assert user_of(app, world.owner).alerts is Alerts.STOPS
    assert owner.post("/account/emails", data={"alerts": "none"}).status_code == 400  # no CSRF token
