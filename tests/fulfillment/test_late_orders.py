"""Orders that the portal sees late, for good reasons or bad: each is sent exactly once, and nobody has to help.

The warehouse of these tests accepts a number twice, so an order that is sent again would be packed again.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from portal.actions.stores import connect_store, go_live
from portal.models import OrderState, Store
from tests.fulfillment.world import ACCOUNT, BIGCARTEL_TOKEN, MERCHANT, MERCHANT_TOKEN

if TYPE_CHECKING:
    from datetime import datetime

    from tests.fulfillment.world import World

CAN_BE_ASKED = pytest.mark.parametrize("can_be_asked", [True, False], ids=["asked", "warehouse away at first"])


@pytest.fixture(autouse=True)
def warehouse_that_accepts_a_number_twice(world: World) -> None:
    token = f"{MERCHANT_TOKEN}-{MERCHANT}"
    world.sandbox.put_merchant(str(MERCHANT), name="Example Shop", token=token, accepts_duplicates=True)


def iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def is_sent_once(world: World, number: str, *, can_be_asked: bool = True) -> None:
    """Poll and run the schedule until the order is at the warehouse, which doesn't answer questions at first."""
    if not can_be_asked:
        world.sandbox.fault("status", "status", times=None)
    world.sweep()
    world.sandbox.clear_faults()
    world.run_until_settled(3)
    assert world.sandbox.accepted().get(number) == 1
    assert world.order(number).state is OrderState.SUBMITTED
    world.run_until_settled(3)
    assert world.sandbox.posted()[number] == 1


@CAN_BE_ASKED
def test_order_placed_while_the_store_was_away_for_a_week(world: World, *, can_be_asked: bool) -> None:
    world.sandbox.place_order(created_at=iso(world.clock() - timedelta(days=9)))
    world.run()
    world.sandbox.fault("orders", "unauthorized", side="bigcartel", times=None)
    world.poll()
    assert not world.store().is_connected
    world.sandbox.clear_faults()
    week = [world.sandbox.place_order(created_at=iso(world.clock() - timedelta(days=days))) for days in (7, 3, 0)]

    with world.session() as session:
        connect_store(
            session, MERCHANT, account_id=ACCOUNT, token=f"{BIGCARTEL_TOKEN}-{ACCOUNT}", settings=world.settings,
            now=world.clock(), actor="tests",
        )  # fmt: skip

    for number in week:
        is_sent_once(world, number, can_be_asked=can_be_asked)


@CAN_BE_ASKED
@pytest.mark.parametrize("only_new", [True, False])
def test_store_that_goes_live_days_after_it_was_connected(world: World, *, only_new: bool, can_be_asked: bool) -> None:
    world.change_store(live=False)
    days_ago = world.clock() - timedelta(days=3)
    old = world.sandbox.place_order(created_at=iso(days_ago))
    world.poll()
    # Placed before the latest change that we know, and listed only now.
    listed_late = world.sandbox.place_order(created_at=iso(days_ago - timedelta(days=1)))
    new = world.sandbox.place_order()

    with world.session() as session:
        store = session.get_one(Store, world.store().id)
        starts_at = world.clock() - timedelta(days=1) if only_new else None
        go_live(session, store, starts_at=starts_at, now=world.clock(), actor="tests")

    is_sent_once(world, new, can_be_asked=can_be_asked)
    if only_new:
        assert world.reasons(old) == world.reasons(listed_late) == {"before_start"}
        assert world.sandbox.posted() == {new: 1}
    else:
        assert world.sandbox.posted() == {old: 1, listed_late: 1, new: 1}


@CAN_BE_ASKED
@pytest.mark.parametrize("was_seen", [True, False], ids=["held until then", "never listed until then"])
def test_order_paid_days_after_it_was_placed(world: World, *, was_seen: bool, can_be_asked: bool) -> None:
    placed = {"created_at": iso(world.clock() - timedelta(days=4)), "payment_status": "pending"}
    number = world.sandbox.place_order(**placed) if was_seen else ""
    world.sandbox.place_order(created_at=iso(world.clock() - timedelta(days=1)))
    world.run()
    number = number or world.sandbox.place_order(**placed)
    world.poll()
    assert number not in world.sandbox.posted()

    world.sandbox.edit_order(number, payment_status="completed")

    is_sent_once(world, number, can_be_asked=can_be_asked)


@CAN_BE_ASKED
@pytest.mark.parametrize("was_seen", [True, False])
@pytest.mark.parametrize("how", ["unlisted", "marked as canceled"])
def test_order_whose_cancellation_is_taken_back(world: World, how: str, *, was_seen: bool, can_be_asked: bool) -> None:
    number = world.sandbox.place_order(created_at=iso(world.clock() - timedelta(days=4)))
    if was_seen:
        world.poll()
    if how == "unlisted":
        world.sandbox.cancel_order(number, unlisted=True)
    else:
        world.sandbox.edit_order(number, canceled_at=iso(world.clock()))
    world.sandbox.place_order()
    world.sweep()
    world.run()
    assert number not in world.sandbox.posted()

    if how == "unlisted":
        world.sandbox.relist_order(number)
    else:
        world.sandbox.edit_order(number, canceled_at=None)

    is_sent_once(world, number, can_be_asked=can_be_asked)


@CAN_BE_ASKED
@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_order_placed_about_the_second_of_the_last_change_we_know(
    world: World, seconds: int, *, can_be_asked: bool
) -> None:
    world.sandbox.place_order()
    world.run()
    cursor = world.store().cursor
    assert cursor is not None

    number = world.sandbox.place_order(created_at=iso(cursor + timedelta(seconds=seconds)))

    is_sent_once(world, number, can_be_asked=can_be_asked)


@CAN_BE_ASKED
@pytest.mark.parametrize("days", [-400, 3])
def test_order_whose_date_is_impossible_or_long_ago(world: World, days: int, *, can_be_asked: bool) -> None:
    world.sandbox.place_order()
    world.run()

    number = world.sandbox.place_order(created_at=iso(world.clock() + timedelta(days=days)))

    is_sent_once(world, number, can_be_asked=can_be_asked)


@pytest.mark.parametrize("created_at", [None, ""])
def test_order_without_a_date_whose_row_was_deleted(sqlite_world: World, created_at: str | None) -> None:
    world = sqlite_world
    world.sandbox.put_merchant(
        str(MERCHANT), name="Example Shop", token=f"{MERCHANT_TOKEN}-{MERCHANT}", accepts_duplicates=True
    )
    number = world.sandbox.place_order()
    world.sandbox.edit_order(number, created_at=created_at)
    world.run()
    assert world.sandbox.posted() == {number: 1}
    with sqlite3.connect(str(world.engine.url.database)) as tool:
        tool.execute("DELETE FROM orders")
    tool.close()

    world.sweep()
    world.run_until_settled(3)

    assert world.sandbox.posted() == {number: 1}
    assert world.order(number).state is OrderState.SUBMITTED


def test_order_whose_impossible_date_is_in_the_future_and_whose_row_was_deleted(sqlite_world: World) -> None:
    world = sqlite_world
    world.sandbox.put_merchant(
        str(MERCHANT), name="Example Shop", token=f"{MERCHANT_TOKEN}-{MERCHANT}", accepts_duplicates=True
    )
    number = world.sandbox.place_order(created_at=iso(world.clock() + timedelta(days=30)))
    world.run()
    with sqlite3.connect(str(world.engine.url.database)) as tool:
        tool.execute("DELETE FROM orders")
    tool.close()

    world.sweep()
    world.run_until_settled(3)

    assert world.sandbox.posted() == {number: 1}


def test_store_that_is_not_live_asks_the_warehouse_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    world.change_store(live=False)
    world.sandbox.place_order()
    world.poll()
    world.sandbox.clear_calls()
    number = world.sandbox.place_order(created_at=iso(world.clock() - timedelta(days=4)))

    world.sweep()

    assert number in world.states()
    assert world.sandbox.calls("fcp") == {}


def test_late_order_that_was_just_sent_waits_until_the_warehouse_may_show_it(sqlite_world: World) -> None:
    world = sqlite_world
    world.sandbox.put_merchant(
        str(MERCHANT), name="Example Shop", token=f"{MERCHANT_TOKEN}-{MERCHANT}", accepts_duplicates=True
    )
    number = world.sandbox.place_order()
    world.poll()
    world.submit()
    with sqlite3.connect(str(world.engine.url.database)) as tool:
        tool.execute("DELETE FROM orders")
    tool.close()
    # The warehouse doesn't show a new order at once.
    world.sandbox.fault("status", "empty", times=1)
    with world.session() as session:
        session.execute(update(Store).values(last_swept_at=None))
        session.commit()

    world.poll()

    order = world.order(number)
    assert order.state is OrderState.UNCONFIRMED
    assert order.next_attempt_at is not None
    assert order.next_attempt_at >= world.clock() + timedelta(seconds=25)
    world.sandbox.clear_faults()
    world.run_until_settled(3)
    assert world.sandbox.posted() == {number: 1}


@pytest.mark.parametrize("last", ["retried", "another merchant's"])
def test_only_the_last_decision_about_the_order_counts(sqlite_world: World, last: str) -> None:
    """What a person closed stays closed, unless a person took it up again. Another merchant's number doesn't matter."""
    world = sqlite_world
    number = world.sandbox.place_order()
    world.poll()
    assert world.cli("orders", "close", number, "--reason", "gift").exit_code == 0
    if last == "retried":
        assert world.cli("orders", "retry", number, "--reason", "not a gift").exit_code == 0
    with sqlite3.connect(str(world.engine.url.database)) as tool:
        if last != "retried":
            tool.execute("UPDATE audit_entries SET merchant_id = NULL WHERE subject = ?", (number,))
        tool.execute("DELETE FROM orders")
    tool.close()

    world.sweep()
    world.run_until_settled(3)

    assert world.sandbox.posted() == {number: 1}
