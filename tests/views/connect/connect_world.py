"""Helpers for the tests of connecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.views.conftest import read
from tests.views.page import one, text_in
from tests.views.real_services import stores

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

NEW = "1000003"


def snapshot(app: Flask) -> list[tuple[object, ...]]:
    """Return the columns of every store that connecting can change."""
    return [
        (one.account_id, one.merchant_id, one.sealed_token, one.name, one.live, one.next_poll_at)
        for one in stores(app).values()
    ]


def failed(client: FlaskClient, url: str, status: int, title: str) -> str:
    """Check that the failure page says nothing has changed and how to try again; return its text."""
    page = read(client.get(url), status)
    assert text_in(page, "h1") == title
    shown = text_in(page)
    assert "Nothing has changed here" in shown
    assert one(page, "a", "Connect store")["href"] == "/connect"
    return shown
