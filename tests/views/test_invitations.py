"""Accepting an invitation, and when it no longer works."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, User
from portal.people import tokens
from portal.people.invitations import INVITED, REMOVED
from tests.conftest import SECRET_KEY
from tests.views.conftest import World, get, post, read
from tests.views.people_world import NEW_PASSWORD, entries_of, user_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


def invite(app: Flask, world: World, email: str, *, days: float = 0, action: str = INVITED) -> str:
    """Record an invitation ``days`` ago and return its link."""
    with app.app_context():
        entry = AuditEntry(
            at=utc_now() - timedelta(days=days),
            actor=world.owner,
            merchant_id=816,
            action=action,
            subject=email,
        )
        db.session.add(entry)
        db.session.commit()
        return f"/invitation/{tokens.invitation_token(entry.id, SECRET_KEY)}"


def test_invitation_can_be_accepted_once(app: Flask, world: World, client_of: ClientOf) -> None:
    link, client = invite(app, world, "new@fern.example"), client_of(None)
    page = get(client, link)
    assert "Join Fern & Fable" in page.get_text()
    assert world.owner in page.get_text()
    assert "email address can't be your password" in read(post(client, link, password="new@fern.example")).get_text()

    assert post(client, link, password=NEW_PASSWORD).request.path == "/m/816/"

    assert user_of(app, "new@fern.example").merchant_id == 816
    get(client_of(None), link, 404)
    with app.app_context():
        assert [entry.actor for entry in db.session.scalars(entries_of("invitation accepted"))] == ["new@fern.example"]


def test_invitation_recorded_under_the_earlier_action_name_works(app: Flask, world: World, client_of: ClientOf) -> None:
    get(client_of(None), invite(app, world, "new@fern.example", action="colleague invited"))


def test_invitation_stops_working(app: Flask, world: World, client_of: ClientOf) -> None:
    """It expires, it is replaced, its address gets an account or is removed, or its sender leaves."""
    expired = invite(app, world, "late@fern.example", days=8)
    replaced = invite(app, world, "twice@fern.example")
    latest = invite(app, world, "twice@fern.example")
    known = invite(app, world, world.stranger)
    removed = invite(app, world, "removed@fern.example")
    with app.app_context():
        db.session.add(
            AuditEntry(at=utc_now(), actor=world.owner, merchant_id=816, action=REMOVED, subject="removed@fern.example")
        )
        db.session.commit()
    for link in (expired, replaced, known, removed):
        get(client_of(None), link, 404)
    get(client_of(None), latest)
    with app.app_context():
        db.session.delete(db.session.scalars(select(User).where(User.email == world.owner)).one())
        db.session.commit()
    get(client_of(None), latest, 404)
