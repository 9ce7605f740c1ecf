"""Every page but the dashboard takes fewer than 12 statements, however much it lists, and three for its status line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select

from portal.extensions import db
from portal.models import (
    Attempt,
    AuditEntry,
    ChangeAfterSending,
    Incident,
    IncidentEvent,
    Merchant,
    Message,
    Note,
    Order,
    Product,
    Store,
    User,
)
from tests.app.routes import Caller, all_routes
from tests.app.world import SUPPORT, World
from tests.views.counting import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from portal.models.base import Base

COPIES = 60
"""More than one page shows."""
FEWER_THAN = 12
FOR_THE_STATUS = 3
"""The line on every page that says whether everything works: as many, whatever there is."""
AT_MOST = {"merchant.dashboard.dashboard": 24}
"""The dashboard sums up every list. tests/views/test_dashboard.py checks that their length makes no difference."""
OF_SOMETHING_ELSE: dict[type[Base], tuple[str, ...]] = {
    Merchant: ("id", "name"),
    Store: ("merchant_id", "account_id"),
    User: ("email", "session_key"),
    Order: ("number", "bigcartel_id"),
    Product: ("product_id",),
    Attempt: (),
    AuditEntry: (),
    Incident: ("key",),
    IncidentEvent: (),
    Message: ("key",),
    ChangeAfterSending: (),
    Note: (),
}
"""What is copied, in the order of references, and what may not be the same in a copy."""


@pytest.fixture
def crowd(app: Flask, world: World) -> World:
    """The world with every row of its own merchant, and of the merchant itself, many times."""
    with app.app_context():
        session = db.session()
        at = session.get_one(Merchant, 816).created_at
        session.add(Note(merchant_id=816, at=at, author=SUPPORT, is_by_support=True, text="A note."))
        session.flush()
        for model, unique in OF_SOMETHING_ELSE.items():
            rows = session.execute(select(model.__table__)).mappings().all()
            owner = "id" if model is Merchant else "merchant_id"
            of_own = [dict(row) for row in rows if row.get(owner, 816) == 816]
            copies = [copy for row in of_own for copy in _copies(row, unique)]
            assert copies, model.__name__
            session.connection().execute(insert(model), copies)
        session.commit()
    return world


def _copies(row: dict[str, Any], unique: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for number in range(COPIES):
        changed = {name: row[name] for name in row.keys() - {"id"}}
        for name in unique:
            changed[name] = 10_000 + number if name in {"id", "merchant_id"} else f"{row.get(name)}-{number}"
        yield changed


@pytest.mark.parametrize("viewer", ["merchant", "support"])
def test_every_page_takes_few_statements(app: Flask, crowd: World, viewer: str) -> None:
    """Pages and files alike: whatever can be asked for."""
    caller = Caller(app, crowd.own.user if viewer == "merchant" else SUPPORT)
    many, shown = {}, 0
    for route in all_routes(app):
        if "GET" not in route.methods or route.rule.endpoint.endswith("static") or "token" in route.named:
            continue
        url = route.url(crowd.own.arguments | {"filename": "portal.css"})
        # The first page after a change of the products reads them, for all pages after it.
        caller.send("GET", url).get_data()
        with statements(app) as ran:
            answer = caller.send("GET", url)
            answer.get_data()
        shown += answer.status_code == 200
        if len(ran) > AT_MOST.get(route.rule.endpoint, FEWER_THAN - 1 + FOR_THE_STATUS):
            many[url] = ran
    assert shown > 20
    assert {url: len(ran) for url, ran in many.items()} == {}, many
