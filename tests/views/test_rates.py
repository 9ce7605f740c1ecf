"""Shipping rates: a merchant says which are always or never sent, where their names mislead us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.extensions import db
from portal.models import AuditEntry, MarkedRate, Merchant, Order, OrderState, RateMark
from tests.views.conftest import World, get, post
from tests.views.page import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

PICKUP, STANDARD = "Fall Collection - [Local pickup]", "Fall Collection - [Standard]"


@pytest.fixture
def url(app: Flask, world: World) -> str:
    """Store one order with each rate, and return the address of the store's rates."""
    with app.app_context():
        now = utc_now()
        for number, label in enumerate((PICKUP, STANDARD, STANDARD)):
            adjustment = {"id": "1", "type": "order_adjustments/base", "attributes": {"label": label}}
            document = {"data": {"id": f"AAAA-{number}"}, "included": [adjustment]}
            db.session.add(
                Order(
                    merchant_id=816, store_id=world.store_id, number=f"AAAA-{number}", state=OrderState.HELD,
                    state_changed_at=now, document=json.dumps(document), first_seen_at=now,
                )
            )  # fmt: skip
        db.session.commit()
    return f"/m/816/shipping/rates/{world.store_id}"


def _marks(app: Flask) -> dict[str, RateMark]:
    with app.app_context():
        return {row.name: row.mark for row in db.session.scalars(select(MarkedRate))}


def test_rates_are_listed_with_our_guess(client_of: ClientOf, url: str, world: World) -> None:
    page = get(client_of(world.owner), url)
    rows = [text(row) for row in page.select("tbody tr")]
    assert [row.split()[0] for row in rows] == ["Local", "Standard"]
    assert "Automatic: hold as a pickup" in rows[0]
    assert "Automatic: send" in rows[1]
    assert " 2 " in rows[1]


def test_marks_are_saved_and_removed(app: Flask, client_of: ClientOf, url: str, world: World) -> None:
    client = client_of(world.owner)
    with app.app_context():
        before = db.session.get_one(Merchant, 816).rules_changed_at
    names = {"name_0": "Local pickup", "name_1": "Standard"}
    post(client, url, **names, mark_0="always", mark_1="never")
    assert _marks(app) == {"local pickup": RateMark.ALWAYS, "standard": RateMark.NEVER}
    with app.app_context():
        assert db.session.get_one(Merchant, 816).rules_changed_at > before
        actions = [entry.action for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
        assert actions[-2:] == ["shipping rate marked: always send", "shipping rate marked: never send"]
    post(client, url, **names, mark_0="", mark_1="never")
    assert _marks(app) == {"standard": RateMark.NEVER}


def test_unknown_mark_changes_nothing(app: Flask, client_of: ClientOf, url: str, world: World) -> None:
    answer = post(client_of(world.owner), url, name_0="Local pickup", mark_0="sometimes")
    assert answer.status_code < 500
    assert _marks(app) == {}


def test_only_store_is_opened_at_once(client_of: ClientOf, url: str, world: World) -> None:
    assert client_of(world.owner).get("/m/816/shipping/rates").location == url
