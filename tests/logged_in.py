"""Log a test client in without its log-in page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import User
from portal.people import log_ins

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


def log_in_as(app: Flask, client: FlaskClient, email: str) -> None:
    """Give the client the session cookie of a new log-in of the user with this email address."""
    with app.app_context():
        user = db.session.scalars(select(User).where(User.email == email)).one()
        log_ins.start(db.session(), user, is_remembered=False, now=utc_now())
    with client.session_transaction() as session:
        session["_user_id"] = user.get_id()
        session["_fresh"] = True
