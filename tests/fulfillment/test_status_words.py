"""Statuses in other spellings end an order, and one that we don't recognize is said to be so."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portal.models import OrderState
from portal.models.states import ClosedBecause
from tests.fulfillment.closed_orders import check_closed

if TYPE_CHECKING:
    from tests.fulfillment.world import World


def _at_the_warehouse(world: World) -> str:
    number = world.sandbox.place_order()
    world.run()
    assert world.order(number).state is OrderState.SUBMITTED
    return number


def _logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    records = [record for record in caplog.records if record.message == "track.unknown_status"]
    return [(record.__dict__["order"], record.__dict__["status"]) for record in records]


@pytest.mark.parametrize("status", ["Complete", "SHIPPED - Tracking Uploaded", "order_delivered", "InTransit"])
def test_shipped_in_other_words_is_marked_in_big_cartel(sqlite_world: World, status: str) -> None:
    world = sqlite_world
    number = _at_the_warehouse(world)
    numbers = ["9400 1112 0108 0805 4830 16", "1Z5R89390357567127"]
    joined = [" / ".join(numbers)]
    world.sandbox.set_status(number, status, ship_date="11/20/2026", carrier="U.S. Postal Service", tracking=joined)

    world.track()

    order = world.order(number)
    assert (order.state, order.fcp_status) == (OrderState.COMPLETED, status)
    assert (order.shipped_on, order.tracking_numbers) == ("2026-11-20", numbers)
    assert world.sandbox.shipping_statuses() == {number: "shipped"}


@pytest.mark.parametrize("status", ["CANCELED", "Cancelled by merchant", "OrderVoided"])
def test_canceled_in_other_words_is_closed(sqlite_world: World, status: str) -> None:
    number = _at_the_warehouse(sqlite_world)
    sqlite_world.sandbox.set_status(number, status)

    sqlite_world.track()

    check_closed(sqlite_world, number, ClosedBecause.CANCELED)
    assert sqlite_world.sandbox.patches() == {}


@pytest.mark.parametrize(
    "status", ["Partially Shipped", "Not shipped", "Ready to be shipped", "On Hold until 12/01/2026"]
)
def test_open_status_in_other_words_is_nothing_unknown(
    sqlite_world: World, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    number = _at_the_warehouse(sqlite_world)
    sqlite_world.sandbox.set_status(number, status)

    sqlite_world.track()

    assert sqlite_world.order(number).state is OrderState.SUBMITTED
    assert f"Status there: {status}." in sqlite_world.cli("orders", "show", number).output
    assert _logged(caplog) == []


def test_unknown_status_is_said_and_logged_once(sqlite_world: World, caplog: pytest.LogCaptureFixture) -> None:
    world = sqlite_world
    number = _at_the_warehouse(world)
    caplog.set_level(logging.WARNING)
    world.sandbox.set_status(number, "Cancel requested")

    world.track()
    world.track()

    assert (world.order(number).state, world.order(number).fcp_status) == (OrderState.SUBMITTED, "Cancel requested")
    assert _logged(caplog) == [(number, "Cancel requested")]
    assert '"Cancel requested", which we don\'t recognize' in world.cli("orders", "show", number).output
    world.sandbox.ship_all()
    world.track()
    assert world.states() == {number: "completed"}
    assert world.sandbox.patches() == {number: 1}


@pytest.mark.parametrize("path", ["orders", "orderstatus"])
def test_statuses_are_asked_where_the_setting_says(sqlite_world: World, path: str) -> None:
    world = sqlite_world
    number = _at_the_warehouse(world)
    world.settings = replace(world.settings, fcp_status_path=path)
    world.sandbox.ship_all()
    world.sandbox.clear_calls()

    world.track()

    assert world.states() == {number: "completed"}
    assert f"POST /xml/{path}/" in world.sandbox.calls()
