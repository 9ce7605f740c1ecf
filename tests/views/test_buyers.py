"""Support downloads and erases a buyer's data on a page of its own; nobody else can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from portal.extensions import db
from portal.models import AuditEntry, Order
from tests.views.conftest import get, post, read
from tests.views.page import text

if TYPE_CHECKING:
    from flask import Flask

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients
    from tests.views.orders_world import Orders

HERE, EMAIL = "/support/buyers", "ada@example.com"


def give(app: Flask, *numbers: str) -> None:
    """Put the buyer's email address into the orders."""
    with app.app_context():
        document = json.dumps({"data": {"id": "X", "attributes": {"customer_email": EMAIL}}})
        db.session.execute(update(Order).where(Order.number.in_(numbers)).values(document=document))
        db.session.commit()


def test_support_downloads_and_erases(app: Flask, orders: Orders, world: World, client_of: Clients) -> None:
    give(app, orders.completed, orders.ready)
    support = client_of(world.support)
    get(support, HERE)
    got = post(support, HERE, email=EMAIL.upper(), reason="Request 1", export="1")
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert {order["number"] for order in json.loads(got.text)["orders"]} == {orders.completed, orders.ready}

    page = read(post(support, HERE, email=EMAIL, reason="Request 1", erase="1"))
    assert "Tick this box" in text(page)
    page = read(post(support, HERE, email=EMAIL, reason=f"Request of {EMAIL}", erase="1", confirmed="y"))
    assert f"Erased the buyer's data of 1 order: {orders.completed}." in text(page)
    assert f"1 order still open: {orders.ready}." in text(page)
    with app.app_context():
        documents = dict(db.session.execute(select(Order.number, Order.document)).all())
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("buyer's data"))).all()
    assert documents[orders.completed] == "{}"
    assert EMAIL in documents[orders.ready]
    assert [(entry.actor, entry.reason) for entry in entries] == [
        (world.support, "Request 1"), (world.support, "Request of •••"),
    ]  # fmt: skip


def test_unknown_buyer_is_said_to_have_no_orders(orders: Orders, world: World, client_of: Clients) -> None:
    support = client_of(world.support)
    page = read(post(support, HERE, email=" Ada+new@Example.com ", reason="x", erase="1", confirmed="y"))
    assert "no complete or closed order has this email address" in text(page)
    assert "0 orders" not in text(page)


def test_merchants_get_nothing(app: Flask, orders: Orders, world: World, client_of: Clients) -> None:
    give(app, orders.completed)
    owner = client_of(world.owner)
    get(owner, HERE, 404)
    assert post(owner, HERE, email=EMAIL, reason="x", erase="1", confirmed="y").status_code == 404
    with app.app_context():
        assert EMAIL in (db.session.scalar(select(Order.document).where(Order.number == orders.completed)) or "")


def test_a_reason_and_an_address_are_needed(world: World, client_of: Clients) -> None:
    support = client_of(world.support)
    assert "Say why." in text(read(post(support, HERE, email=EMAIL, reason="", export="1")))
    assert "This isn't an email address." in text(read(post(support, HERE, email="ada", reason="x", export="1")))
