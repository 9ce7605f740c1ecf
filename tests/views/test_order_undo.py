"""The list tells what an action on several orders did, and takes a release or a closing back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.models import Order, OrderEvent, OrderState
from portal.views import bulk_results
from tests.views.conftest import get, post, read
from tests.views.order_pages import LIST, entries, state_of
from tests.views.orders_world import Orders, put_many
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bs4 import BeautifulSoup
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.views.conftest import World
    from tests.views.dashboard_world import Clients

pytestmark = pytest.mark.usefixtures("big_cartel_answers", "woken")


def _decide(client: FlaskClient, orders: Orders, action: str, chosen: Sequence[str], **fields: str) -> TestResponse:
    ids = [orders.ids[number] for number in chosen]
    return post(client, f"{LIST}/decide?do={action}&number=FERN", order=ids, **fields)


def _undo(client: FlaskClient, page: BeautifulSoup) -> BeautifulSoup:
    form = one(page, ".order-result form")
    return read(post(client, str(form["action"]), result=one(form, "input[name=result]")["value"]))


def _holds(app: Flask, number: str) -> list[str]:
    with app.app_context():
        return [hold["reason"] for hold in db.session.scalars(select(Order.holds).where(Order.number == number)).one()]


def test_release_is_undone_while_nothing_is_sent(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    before = _holds(app, orders.pickup)
    after = _decide(owner, orders, "release", [orders.pickup, orders.no_sku])
    assert after.request.path == LIST
    page = read(after)
    assert text_in(page, "#result-head") == "1 order is ready to send."
    assert "1 order couldn't be released" in text_in(page, ".order-result")
    assert text_in(page, ".order-result form button") == "Undo release"
    assert state_of(app, orders.pickup) is OrderState.READY
    again = _undo(owner, page)
    assert "Undone. 1 order is on hold again." in text_in(again, ".alert")
    assert state_of(app, orders.pickup) is OrderState.HELD
    assert _holds(app, orders.pickup) == before
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.pickup)).one()
        assert order.released_holds == []
        assert not order.released
        last = db.session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc()).limit(1)).one()
        assert (last.from_state, last.to_state, last.actor) == (OrderState.READY, OrderState.HELD, "owner@fern.example")
    assert [one.action for one in entries(app, orders.pickup)] == ["order released", "order release undone"]


@pytest.mark.parametrize("state", [OrderState.SUBMITTING, OrderState.SUBMITTED])
def test_order_that_is_sent_is_never_taken_back(
    app: Flask, orders: Orders, owner: FlaskClient, state: OrderState
) -> None:
    page = read(_decide(owner, orders, "release", [orders.pickup]))
    with app.app_context():
        claim = "worker" if state is OrderState.SUBMITTING else ""
        sent = update(Order).where(Order.number == orders.pickup)
        db.session.execute(sent.values(state=state, claim=claim, submitted_at=Order.first_seen_at))
        db.session.commit()
    again = _undo(owner, page)
    assert f"Not undone: {orders.pickup} can't be undone. " in text_in(again, ".alert-warning")
    assert state_of(app, orders.pickup) is state
    assert [one.action for one in entries(app, orders.pickup)] == ["order released"]
    # The panel no longer offers what the server would refuse.
    assert not get(owner, f"{LIST}?result={_token(page)}").select(".order-result form")


def _token(page: BeautifulSoup) -> str:
    return str(one(page, ".order-result input[name=result]")["value"])


def test_closing_is_undone(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    chosen = [orders.rejected, orders.no_sku, orders.ready, orders.given_up]
    before = {number: (state_of(app, number), _holds(app, number)) for number in chosen}
    page = read(_decide(owner, orders, "close", chosen, reason="Wrong ones"))
    assert text_in(page, "#result-head") == "4 orders are closed."
    again = _undo(owner, page)
    assert "Undone. 4 orders are open again." in text_in(again, ".alert")
    assert {number: (state_of(app, number), _holds(app, number)) for number in chosen} == before
    with app.app_context():
        by_number = {order.number: order for order in db.session.scalars(select(Order))}
        assert by_number[orders.rejected].state_reason == "Invalid SKU: MUG-01"
        assert by_number[orders.rejected].closed_because is None
        assert by_number[orders.ready].state_reason == ""
        assert by_number[orders.ready].next_attempt_at is not None
        # It wasn't to be sent before it was closed, so undoing that doesn't send it.
        assert by_number[orders.given_up].next_attempt_at is None
    assert [one.action for one in entries(app, orders.ready)] == ["order closed", "order closing undone"]


def test_closing_is_not_undone_unless_big_cartel_still_shows_the_order_unshipped(
    app: Flask, orders: Orders, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been shipped or canceled there meanwhile, and would be sent within seconds."""
    page = read(_decide(owner, orders, "close", [orders.ready], reason="Wrong one"))
    with monkeypatch.context() as patched:
        patched.setattr("portal.views.order_list.reread_orders", lambda *_: frozenset())
        assert "wasn't changed. First we read the order" in text_in(_undo(owner, page), ".alert")
    assert state_of(app, orders.ready) is OrderState.CLOSED
    with app.app_context():
        order = db.session.scalars(select(Order).where(Order.number == orders.ready)).one()
        order.document = order.document.replace('"shipping_status": "unshipped"', '"shipping_status": "shipped"')
        assert '"shipped"' in order.document
        db.session.commit()
    _undo(owner, page)
    assert state_of(app, orders.ready) is OrderState.CLOSED


def test_order_that_changed_since_stays(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = read(_decide(owner, orders, "close", [orders.no_sku], reason="Wrong one"))
    with app.app_context():
        db.session.execute(update(Order).where(Order.number == orders.no_sku).values(closed_because="gone"))
        db.session.commit()
    assert "It has changed since." in text_in(_undo(owner, page), ".alert-warning")
    assert state_of(app, orders.no_sku) is OrderState.CLOSED


def test_undo_ends_after_some_minutes(
    app: Flask, orders: Orders, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = read(_decide(owner, orders, "release", [orders.pickup]))
    monkeypatch.setattr(bulk_results, "UNDO_SECONDS", -1)
    assert "It's too late to undo this." in text_in(_undo(owner, page), ".alert-warning")
    assert state_of(app, orders.pickup) is OrderState.READY
    assert not get(owner, f"{LIST}?result={_token(page)}").select(".order-result form")


def test_retry_offers_no_undo(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    page = read(_decide(owner, orders, "retry", [orders.rejected]))
    assert text_in(page, "#result-head") == "1 order is ready to send."
    assert not page.select(".order-result form")


def test_result_is_only_for_who_acted(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, client_of: Clients
) -> None:
    token = _token(read(_decide(owner, orders, "release", [orders.pickup])))
    for email, address in ((world.teammate, LIST), (world.stranger, "/m/900/orders"), (world.support, LIST)):
        client = client_of(email)
        assert not get(client, f"{address}?result={token}").select(".order-result")
        assert "too late" in text_in(read(post(client, f"{address}/undo", result=token)), ".alert-warning")
    for forged in ("x", token[:-2], f"{token}x", ""):
        assert not get(owner, f"{LIST}?result={forged}").select(".order-result")
    assert state_of(app, orders.pickup) is OrderState.READY


def test_result_is_told_once_and_stays_short(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    put_many(app, world, 260, state=OrderState.REJECTED)
    page = get(owner, f"{LIST}/decide?do=close&all=1&number=MANY")
    ids = [field["value"] for field in page.select("main form input[name=order]")]
    after = post(owner, f"{LIST}/decide?do=close&number=MANY", order=ids, reason="Gone")
    assert text_in(read(after), "#result-head") == "200 orders are closed."
    # Servers refuse addresses of more than some 4,000 characters.
    assert len(after.request.full_path) < 3_000
    for link in read(after).select("nav[aria-label='Orders by state'] a, a[rel=next]"):
        assert "result" not in parse_qs(urlsplit(str(link["href"])).query)


def test_page_asks_before_anything_happens(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    ids = f"order={orders.ids[orders.rejected]}&order={orders.ids[orders.completed]}"
    page = get(owner, f"{LIST}/decide?do=retry&{ids}")
    assert text_in(page, "h1") == "Retry 1 of 2 orders"
    assert [field["value"] for field in page.select("main input[name=order]")] == [str(orders.ids[orders.rejected])]
    assert state_of(app, orders.rejected) is OrderState.REJECTED


def test_script_of_the_dialog_is_told_where_it_leads(orders: Orders, owner: FlaskClient) -> None:
    """It leads the browser there itself, so that the page's message is shown there."""
    answer = owner.get(f"{LIST}/decide?do=retry&number={orders.ready}", headers={"X-Dialog": "true"})
    assert (answer.status_code, answer.data, "Location" in answer.headers) == (204, b"", False)
    assert "No orders selected" in text_in(get(owner, answer.headers["X-Location"]), ".alert")
