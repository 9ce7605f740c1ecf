"""Retry, release and close on the page of one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.actions import order_outlook
from portal.actions.orders import Action, act
from portal.clock import utc_now
from portal.extensions import db
from portal.models import Order, OrderState
from tests.views.conftest import World, get, post, read
from tests.views.order_pages import LIST, WOKEN, entries, state_of
from tests.views.page import one, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from portal import queue
    from tests.views.orders_world import Orders

    ClientOf = Callable[[str | None], FlaskClient]


def test_only_possible_actions_are_offered(orders: Orders, owner: FlaskClient) -> None:
    for case, offered in (
        ("no_sku", ["Retry order", "Close order"]),
        ("pickup", ["Release order", "Close order"]),
        ("rejected", ["Retry order", "Close order"]),
        ("unconfirmed", ["Retry order"]),
        ("closed", ["Retry order"]),
        ("submitting", []),
        ("submitted", []),
        ("completed", []),
        ("cancelled", []),
    ):
        page = get(owner, f"{LIST}/{getattr(orders, case)}")
        buttons = page.select("#state a:is([href$=retry], [href$=release], [href$=close])")
        assert [button.get_text() for button in buttons] == offered, case


@pytest.mark.parametrize("action", list(Action))
def test_action_does_what_its_outlook_says(app: Flask, orders: Orders, action: Action) -> None:
    for number, order_id in orders.ids.items():
        with app.app_context():
            session = db.session()
            order = session.get_one(Order, order_id)
            [outlook] = order_outlook.outlooks(session, [order], action)
            result = act(session, order, action, is_fresh=True, actor="test", reason="a test", now=utc_now())
            assert result.done is outlook.possible, number
            if "send it to the warehouse" in outlook.sentence:
                assert order.state is OrderState.READY
            if "it will be on hold" in outlook.sentence:
                assert order.state is OrderState.HELD


@pytest.mark.usefixtures("big_cartel_answers")
def test_retry_needs_confirmation_and_wakes_the_submit_job(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    address = f"{LIST}/{orders.rejected}/retry"
    page = get(owner, address)
    assert "We'll check it again and send it to the warehouse." in text_in(page)
    assert not page.select("input[name=reason]")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    after = post(owner, address)
    assert after.request.path == f"{LIST}/{orders.rejected}"
    assert f"Order {orders.rejected} is now “Ready to send”." in text_in(read(after), ".alert-success")
    assert f"Retried by {world.owner}" in text_in(read(after), "#timeline")
    assert state_of(app, orders.rejected) is OrderState.READY
    assert woken == WOKEN


def test_retry_that_would_stay_on_hold_says_so_first(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    page = get(owner, f"{LIST}/{orders.no_sku}/retry")
    assert "it will be on hold. Missing or invalid SKU" in text_in(page)
    post(owner, f"{LIST}/{orders.no_sku}/retry")
    assert state_of(app, orders.no_sku) is OrderState.HELD


def test_local_pickup_is_sent_only_after_release(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    not_possible = get(owner, f"{LIST}/{orders.pickup}/retry")
    assert "To send it anyway, release it." in text_in(not_possible)
    assert not not_possible.select("main form")
    post(owner, f"{LIST}/{orders.pickup}/retry")
    assert state_of(app, orders.pickup) is OrderState.HELD
    after = read(post(owner, f"{LIST}/{orders.pickup}/release"))
    assert f"Released by {world.owner}" in text_in(after, "#timeline")
    assert state_of(app, orders.pickup) is OrderState.READY


def test_closing_requires_a_reason_and_records_it(
    app: Flask, orders: Orders, world: World, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    address = f"{LIST}/{orders.rejected}/close"
    without_reason = read(post(owner, address, reason="  "))
    assert "Say why this order shouldn't be sent" in text_in(without_reason, "main form .invalid-feedback")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    page = read(post(owner, address, reason="Bought twice"))
    assert f"Closed by {world.owner}: Bought twice" in text_in(page, "#state")
    assert [(one.actor, one.action, one.reason) for one in entries(app, orders.rejected)] == [
        (world.owner, "order closed", "Bought twice")
    ]
    assert not woken


CANNOT_BE = {Action.RETRY: "retried", Action.RELEASE: "released", Action.CLOSE: "closed"}


def test_order_at_the_warehouse_cannot_be_changed(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    for action in Action:
        address = f"{LIST}/{orders.submitted}/{action}"
        assert "Nothing." in text_in(get(owner, address))
        page = read(post(owner, address, reason="by force"))
        assert f"{orders.submitted} can't be {CANNOT_BE[action]}." in text_in(page, ".alert-warning")
    assert state_of(app, orders.submitted) is OrderState.SUBMITTED
    assert not entries(app, orders.submitted)
    assert not woken


@pytest.mark.usefixtures("big_cartel_answers")
def test_actions_work_without_redis(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    read(post(owner, f"{LIST}/{orders.rejected}/retry"))
    assert state_of(app, orders.rejected) is OrderState.READY


@pytest.mark.usefixtures("big_cartel_answers")
def test_support_must_give_a_reason_and_is_recorded(
    app: Flask, orders: Orders, world: World, client_of: ClientOf, woken: list[queue.Call]
) -> None:
    support = client_of(world.support)
    address = f"{LIST}/{orders.rejected}/retry"
    one(get(support, address), "input[name=reason]")
    without_reason = read(post(support, address))
    assert "Say why" in text_in(without_reason, "main form .invalid-feedback")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    page = read(post(support, address, reason="The warehouse added the SKU"))
    assert f"Retried by {world.support}" in text_in(page, "#timeline")
    assert "The warehouse added the SKU" in text_in(page, "#timeline")
    assert [one.actor for one in entries(app, orders.rejected)] == [world.support]


def test_rejected_order_is_not_retried_while_its_products_cannot_be_read(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    page = read(post(owner, f"{LIST}/{orders.rejected}/retry"))
    assert "First we read the order" in text_in(page, ".alert-warning")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    assert woken == []


def test_form_without_a_csrf_token_changes_nothing(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    assert owner.post(f"{LIST}/{orders.rejected}/close", data={"reason": "forged"}).status_code == 400
    assert state_of(app, orders.rejected) is OrderState.REJECTED
