"""Somebody deletes a row of the orders table: the order is found again, and the warehouse gets it once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from portal.models import OrderState
from tests.fulfillment.world import MERCHANT, MERCHANT_TOKEN

if TYPE_CHECKING:
    from tests.fulfillment.world import World


@pytest.fixture(autouse=True)
def warehouse_without_duplicate_check(world: World) -> None:
    world.sandbox.put_merchant(
        str(MERCHANT), name="Example Shop", token=f"{MERCHANT_TOKEN}-{MERCHANT}", accepts_duplicates=True
    )


def _delete(world: World, number: str, *, with_attempts: bool) -> None:
    """Delete the order's row as somebody's own tool might. SQLite's foreign keys are off unless it turns them on."""
    order_id = world.order(number).id
    if world.engine.dialect.name == "sqlite":
        with sqlite3.connect(str(world.engine.url.database)) as tool:
            if with_attempts:
                tool.execute("DELETE FROM attempts WHERE order_id = ?", (order_id,))
            tool.execute("DELETE FROM orders WHERE id = ?", (order_id,))
        tool.close()
        return
    with world.engine.begin() as connection:
        connection.execute(text("DELETE FROM attempts WHERE order_id = :id"), {"id": order_id})
        connection.execute(text("DELETE FROM orders WHERE id = :id"), {"id": order_id})


def _bring_to(world: World, state: str) -> str:
    if state == "held":
        number = world.sandbox.place_order(payment_status="unpaid")
        world.poll()
        return number
    number = world.sandbox.place_order()
    world.poll()
    if state != "ready":
        world.submit()
    if state in {"shipped", "completed"}:
        if state == "shipped":
            world.sandbox.fault("patch", "status", times=1)
        world.sandbox.ship([number])
        world.track()
    assert world.order(number).state == state
    return number


@pytest.mark.parametrize("with_attempts", [True, False])
@pytest.mark.parametrize("state", ["held", "ready", "submitted", "shipped", "completed"])
def test_order_whose_row_was_deleted_is_sent_once(world: World, state: str, with_attempts: bool) -> None:
    other = world.sandbox.place_order()
    world.run()
    number = _bring_to(world, state)
    _delete(world, number, with_attempts=with_attempts)
    fresh = world.sandbox.place_order()

    world.clock.forward(minutes=61)
    world.run_until_settled(4)

    if state == "held":
        assert world.order(number).state is OrderState.HELD
        assert number not in world.sandbox.posted()
    else:
        assert world.sandbox.posted()[number] == 1
    if state in {"shipped", "completed"}:
        assert world.sandbox.shipping_statuses()[number] == "shipped"
    assert world.sandbox.posted()[other] == world.sandbox.posted()[fresh] == 1
    assert len({attempt.id for attempt in world.attempts(fresh)}) >= 1
    assert all(fresh in attempt.request for attempt in world.attempts(fresh) if attempt.request)
    reconciliation = world.store().reconciliation
    assert reconciliation is not None
    assert reconciliation["missing"] == []


def test_restored_row_waits_while_the_warehouse_can_not_be_asked(world: World) -> None:
    number = _bring_to(world, "submitted")
    _delete(world, number, with_attempts=True)
    world.sandbox.fault("status", "status", times=None)
    world.sweep()

    assert world.order(number).state is OrderState.UNCONFIRMED

    world.sandbox.clear_faults()
    world.run_until_settled(3)

    assert world.order(number).state is OrderState.SUBMITTED
    assert world.sandbox.posted() == {number: 1}


@pytest.mark.parametrize("can_be_asked", [True, False])
def test_order_that_a_person_closed_stays_closed(world: World, *, can_be_asked: bool) -> None:
    number = _bring_to(world, "ready")
    assert world.cli("orders", "close", number, "--reason", "gift").exit_code == 0
    _delete(world, number, with_attempts=True)
    if not can_be_asked:
        world.sandbox.fault("status", "not_found", times=None)

    world.sweep()
    world.run_until_settled(2)

    assert world.order(number).state is OrderState.CLOSED
    assert number not in world.sandbox.posted()


def test_first_sync_asks_nothing_about_old_orders(world: World) -> None:
    world.sandbox.place_orders([{"created_at": "2020-01-01T00:00:00Z"}] * 3)
    world.sandbox.clear_calls()

    world.poll()

    assert set(world.states().values()) == {"ready"}
    assert not any("orders" in call and call.startswith("POST") for call in world.sandbox.calls("fcp"))
