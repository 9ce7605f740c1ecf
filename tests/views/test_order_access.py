"""Who may see an order and act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import OrderState
from tests.views.conftest import World, get, post
from tests.views.order_pages import LIST, state_of
from tests.views.page import text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from portal import queue
    from tests.views.orders_world import Orders

    ClientOf = Callable[[str | None], FlaskClient]


PATHS = (
    "orders", "orders/orders.csv", "orders/FERN-100009", "orders/FERN-100009/retry", "orders/FERN-100009/release",
    "orders/FERN-100009/close", "orders/decide?do=retry&order=1", "orders/decided?do=retry",
)  # fmt: skip


def test_other_merchants_get_404_and_logged_out_users_are_sent_to_log_in(
    orders: Orders, world: World, client_of: ClientOf
) -> None:
    for path in PATHS:
        get(client_of(world.stranger), f"/m/816/{path}", 404)
        answer = client_of(None).get(f"/m/816/{path}")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/log-in?next=")
        for email in (world.owner, world.teammate, world.support):
            assert client_of(email).get(f"/m/816/{path}").status_code in {200, 303}


def test_merchant_cannot_act_on_another_merchants_order(
    app: Flask, orders: Orders, world: World, client_of: ClientOf, woken: list[queue.Call]
) -> None:
    stranger = client_of(world.stranger)
    assert post(stranger, f"{LIST}/{orders.rejected}/close", reason="mine now").status_code == 404
    # On the stranger's own pages, but with another merchant's order.
    get(stranger, f"/m/900/orders/{orders.rejected}", 404)
    foreign = orders.ids[orders.rejected]
    own = orders.ids[orders.other]
    address = f"/m/900/orders/decide?do=close&order={foreign}&order={own}"
    page = get(stranger, address)
    assert text_in(page, "h1") == f"Close order {orders.other}"
    assert [str(field["value"]) for field in page.select("main input[name=order]")] == [str(own)]
    post(stranger, address, order=[foreign, own], reason="mine now")
    assert state_of(app, orders.rejected) is OrderState.REJECTED
    assert state_of(app, orders.other) is OrderState.CLOSED


def test_unknown_order_returns_404(orders: Orders, owner: FlaskClient) -> None:
    for number in ("NONE-1", "%00", "FERN-100009%00", "..%2f..", "FERN 100009"):
        get(owner, f"{LIST}/{number}", 404)
