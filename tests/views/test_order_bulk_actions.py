"""Retrying and closing several orders at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.models import OrderState
from tests.views.conftest import World, get, post, read
from tests.views.order_pages import LIST, WOKEN, entries, said_of_each, state_of
from tests.views.orders_world import Orders, put_many
from tests.views.page import one, text, text_in

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from portal import queue


@pytest.mark.usefixtures("big_cartel_answers")
def test_bulk_retry_shows_an_outlook_and_a_result_per_order(
    app: Flask, orders: Orders, owner: FlaskClient, woken: list[queue.Call]
) -> None:
    chosen = [orders.rejected, orders.no_sku, orders.pickup, orders.completed]
    ids = "&".join(f"order={orders.ids[number]}" for number in chosen)
    address = f"{LIST}/decide?do=retry&{ids}&number=FERN"
    page = get(owner, address)
    said = said_of_each(page)
    assert "send it to the warehouse" in said[orders.rejected]
    assert "it will be on hold" in said[orders.no_sku]
    assert "Nothing." in said[orders.pickup]
    assert "shipped and marked as shipped in Big Cartel" in said[orders.completed]
    assert text_in(page, "main form button") == "Retry 2 orders"
    assert one(page, "a", "Cancel")["href"] == f"{LIST}?number=FERN"

    after = post(owner, address, order=[orders.ids[number] for number in chosen])
    assert after.request.path == LIST
    assert after.request.args["number"] == "FERN"
    told = one(read(after), ".order-result")
    assert text_in(told, "#result-head") == "1 order is ready to send. 1 order is on hold."
    assert "2 orders couldn't be retried" in text(told)
    said = {text_in(entry, "a"): text(entry) for entry in told.select("li")}
    assert "Ready to send" in said[orders.rejected]
    assert "To send it anyway, release it." in said[orders.pickup]
    assert "couldn't" not in said[orders.rejected]
    assert state_of(app, orders.rejected) is OrderState.READY
    assert state_of(app, orders.pickup) is OrderState.HELD
    assert woken == WOKEN


def test_bulk_close_records_one_reason_for_every_order(app: Flask, orders: Orders, owner: FlaskClient) -> None:
    chosen = [orders.rejected, orders.no_sku]
    address = f"{LIST}/decide?do=close&" + "&".join(f"order={orders.ids[number]}" for number in chosen)
    without_reason = read(post(owner, address, order=[orders.ids[number] for number in chosen], reason=""))
    assert "Say why" in text_in(without_reason, "main form .invalid-feedback")
    assert len(without_reason.select("main form input[name=order]")) == 2
    read(post(owner, address, order=[orders.ids[number] for number in chosen], reason="Season is over"))
    for number in chosen:
        assert state_of(app, number) is OrderState.CLOSED
        assert [one.reason for one in entries(app, number)] == ["Season is over"]


def test_all_matching_orders_can_be_selected(app: Flask, orders: Orders, world: World, owner: FlaskClient) -> None:
    put_many(app, world, 230, state=OrderState.REJECTED)
    page = get(owner, f"{LIST}?number=MANY")
    assert "Select the newest 200 of 230 orders that match" in text_in(page, "label[for=all]")
    page = get(owner, f"{LIST}/decide?do=close&all=1&number=MANY")
    assert "Close 200 orders" in text_in(page, "h1")
    ids = [field["value"] for field in page.select("main form input[name=order]")]
    result = read(post(owner, f"{LIST}/decide?do=close&all=1&number=MANY", order=ids, reason="Gone"))
    assert text_in(result, "#result-head") == "200 orders are closed."


def test_result_has_a_page_of_its_own(orders: Orders, owner: FlaskClient) -> None:
    ids = f"done={orders.ids[orders.closed]}&left={orders.ids[orders.completed]}"
    page = get(owner, f"{LIST}/decided?do=close&{ids}&number=FERN")
    assert "1 order closed" in text_in(page, "h1")
    said = said_of_each(page)
    assert "Not changed" in said[orders.completed]
    assert "It's complete." in said[orders.completed]
    assert one(page, "a", "Back to orders")["href"] == f"{LIST}?number=FERN"


def test_no_selection_returns_to_the_list_with_a_message(orders: Orders, owner: FlaskClient) -> None:
    answer = owner.get(f"{LIST}/decide?do=retry&state=held", follow_redirects=True)
    page = read(answer)
    assert answer.request.full_path == f"{LIST}?state=held"
    assert "No orders selected. Select at least one to retry." in text_in(page, ".alert")


def test_unknown_action_returns_404(orders: Orders, owner: FlaskClient) -> None:
    for path in ("decide?do=delete&order=1", "decide", "decided", "decided?do=nonsense"):
        get(owner, f"{LIST}/{path}", 404)
