"""Helpers for the tests of accounts and teams."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.extensions import db
from portal.models import AuditEntry, Merchant, User
from tests.views.conftest import get, post
from tests.views.page import one

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Select

MOSS = {
    "email": " Owner@Moss.example ",
    "password": "seven mossy stones",
    "merchant_id": "817",
    "merchant_name": "Moss & Co",
    "merchant_token": " moss-token\n",
}


NEW_PASSWORD = "a wholly new password"


def mails(folder: Path) -> list[str]:
    """Return the subject, recipient and text of every email, oldest first."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        found.append(f"{message['Subject']}\n{message['To']}\n{message.get_content()}")
    return found


def link_in(text: str) -> str:
    """Return the path of the link in an email."""
    found = re.search(r"http://127\.0\.0\.1:8000(/\S+)", text)
    assert found
    return found[1]


def count(app: Flask, kind: type[User | Merchant | AuditEntry]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(kind)) or 0


def user_of(app: Flask, email: str) -> User:
    with app.app_context():
        return db.session.scalars(select(User).where(User.email == email)).one()


def log_in(client: FlaskClient, email: str, password: str, at: str = "/log-in") -> str:
    """Log in and return the path of the page that opens."""
    return post(client, at, email=email, password=password).request.path


def post_token(client: FlaskClient) -> str:
    return str(one(get(client, "/log-in"), "input[name=csrf_token]")["value"])


def entries_of(action: str) -> Select[AuditEntry]:
    return select(AuditEntry).where(AuditEntry.action == action)
