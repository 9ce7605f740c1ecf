"""What a person did to one order, or to a saved filter, can be undone from the message that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.models import Order, OrderState, SavedFilter
from tests.views.conftest import World, post, read
from tests.views.order_pages import LIST, entries, state_of
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import BeautifulSoup
    from flask import Flask
    from flask.testing import FlaskClient

    from portal.models import StoredEdits
    from tests.views.orders_world import Orders

pytestmark = pytest.mark.usefixtures("big_cartel_answers", "woken")


def _undo(client: FlaskClient, page: BeautifulSoup) -> BeautifulSoup:
    form = one(page, ".toast-message form")
    fields = {str(field["name"]): str(field["value"]) for field in form.select("input")}
    fields.pop("csrf_token")
    return read(post(client, str(form["action"]), **fields))


def _edits(app: Flask, number: str) -> StoredEdits | None:
    with app.app_context():
        return db.session.scalars(select(Order.edits).where(Order.number == number)).one()


def test_hold_is_undone_once(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = read(post(owner, f"{LIST}/{orders.ready}/hold", note="Ask Ada"))
    assert "is on hold" in text_in(page, ".toast-message[role=status] .words")
    assert state_of(app, orders.ready) is OrderState.HELD
    page = _undo(owner, page)
    assert f"Undone. We'll send order {orders.ready} now." in text_in(page, ".toast-message")
    assert not page.select(".toast-message form")
    assert state_of(app, orders.ready) is OrderState.READY
    assert [one.action for one in entries(app, orders.ready)] == ["order put on hold", "hold released"]


def test_end_of_a_hold_is_undone_with_its_note(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    post(owner, f"{LIST}/{orders.no_sku}/hold", note="Ask Ada „é“ 👋")
    page = _undo(owner, read(post(owner, f"{LIST}/{orders.no_sku}/hold/release")))
    assert "Undone." in text_in(page, ".toast-message")
    assert (_edits(app, orders.no_sku) or {})["hold"]["note"] == "Ask Ada „é“ 👋"


@pytest.mark.parametrize(
    ("part", "fields", "again"),
    [
        ("sku?item=1", {"sku": "POSTER-1", "scope": "this"}, {"sku": "POSTER-2", "scope": "this"}),
        ("item?item=1", {}, None),
        ("service", {"service": "USPS_GROUND_ADVANTAGE"}, {"service": "USPS_PRIORITY"}),
    ],
)
def test_fix_is_undone_to_what_was_before(
    app: Flask, orders: Orders, owner: FlaskClient, part: str, fields: dict[str, str], again: dict[str, str] | None
) -> None:
    number = orders.no_sku
    before = _edits(app, number)
    page = read(post(owner, f"{LIST}/{number}/{part}", **fields))
    first = _edits(app, number)
    assert first != before
    _undo(owner, page)
    assert _edits(app, number) == before
    if again is None:
        return
    post(owner, f"{LIST}/{number}/{part}", **fields)
    _undo(owner, read(post(owner, f"{LIST}/{number}/{part}", **again)))
    assert _edits(app, number) == first


def test_nothing_is_undone_after_somebody_fixed_something_else(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, client_of: Callable[[str], FlaskClient]
) -> None:
    page = read(post(owner, f"{LIST}/{orders.no_sku}/sku?item=1", sku="POSTER-1", scope="this"))
    post(client_of(world.teammate), f"{LIST}/{orders.no_sku}/sku?item=1", sku="POSTER-2", scope="this")
    page = _undo(owner, page)
    assert f"{orders.no_sku} can't be undone. It has changed since." in text_in(page, ".alert-warning")
    assert (_edits(app, orders.no_sku) or {})["items"]["1"]["sku"] == "POSTER-2"


def test_nothing_is_undone_once_the_order_was_sent(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = read(post(owner, f"{LIST}/{orders.ready}/service", service="USPS_PRIORITY"))
    with app.app_context():
        sent = update(Order).where(Order.number == orders.ready)
        db.session.execute(sent.values(state=OrderState.SUBMITTED, submitted_at=Order.first_seen_at))
        db.session.commit()
    assert "The warehouse already has it." in text_in(_undo(owner, page), ".alert-warning")
    assert (_edits(app, orders.ready) or {})["service"]["code"] == "USPS_PRIORITY"


def test_closing_one_order_is_undone_on_its_page(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = read(post(owner, f"{LIST}/{orders.rejected}/close", reason="Wrong one"))
    page = _undo(owner, page)
    assert text_in(page, "h1") == f"Order {orders.rejected}"
    assert "Undone. 1 order is open again." in text_in(page, ".toast-message")
    assert state_of(app, orders.rejected) is OrderState.REJECTED


def test_undo_leads_nowhere_else(orders: Orders, owner: FlaskClient) -> None:
    answer = post(owner, f"{LIST}/undo", result="x", next="https://elsewhere.example/")
    assert answer.request.host == "localhost"


def test_support_is_not_asked_for_a_reason(
    app: Flask, orders: Orders, world: World, client_of: Callable[[str], FlaskClient]
) -> None:
    support = client_of(world.support)
    _undo(support, read(post(support, f"{LIST}/{orders.ready}/hold", note="", reason="The merchant called")))
    assert [one.reason for one in entries(app, orders.ready)] == ["The merchant called", "Undone right after."]


def test_deleted_filter_comes_back(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    post(owner, f"{LIST}/filters?state=held&number=FERN", name="Mine")
    with app.app_context():
        saved = db.session.scalars(select(SavedFilter)).one()
        filter_id, query = saved.id, saved.query
    page = read(post(owner, f"{LIST}/filters/{filter_id}/delete"))
    assert "Filter “Mine” deleted." in text_in(page, ".toast-message")
    _undo(owner, page)
    with app.app_context():
        assert [(one.name, one.query) for one in db.session.scalars(select(SavedFilter))] == [("Mine", query)]
