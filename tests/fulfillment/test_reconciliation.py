"""Reconciliation of both sides' live lists: the sums match, and orders unaccounted for are named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from portal.actions.rates import mark_rates
from portal.fulfillment.clients import fcp_for
from portal.fulfillment.poll.reconciliation import reconcile
from portal.models import Merchant, Order, RateMark, Store

if TYPE_CHECKING:
    from portal.models import StoredReconciliation
    from tests.fulfillment.world import World


def _reconciliation(world: World) -> StoredReconciliation:
    counts = world.store().reconciliation
    assert counts is not None
    total = counts["at_the_warehouse"] + sum(counts["waiting"].values()) + counts["left_out"] + len(counts["missing"])
    assert counts["unshipped_and_paid"] == total
    shipped = counts["being_told"] + len(counts["not_told"])
    assert counts["shipped_by_the_warehouse"] == shipped
    return counts


def test_every_order_is_counted_once(world: World) -> None:
    sent = world.sandbox.place_orders(count=5)
    world.sandbox.place_order(payment_status="unpaid")
    world.sandbox.place_order(labels=["Local pickup"])
    rejected = world.sandbox.place_order()
    closed = world.sandbox.place_order()
    world.poll()
    world.cli("orders", "close", closed, "--reason", "gift")
    world.sandbox.fault("submit", "refuse", order=rejected)
    world.submit()
    waiting = world.sandbox.place_order()

    world.sweep()
    counts = _reconciliation(world)

    assert waiting in world.states()
    assert counts["unshipped_and_paid"] == 9
    assert counts["at_the_warehouse"] == len(sent)
    assert counts["waiting"] == {"local_pickup": 1, "rejected": 1, "ready": 1}
    assert counts["left_out"] == 1
    assert counts["missing"] == counts["not_told"] == []


def test_order_lost_by_the_warehouse_is_named(world: World) -> None:
    lost, found = world.sandbox.place_orders(count=2)
    world.run()
    world.sandbox.forget(lost)

    world.clock.forward(minutes=61)
    swept = world.poll()
    counts = _reconciliation(world)

    assert swept.swept
    assert counts["missing"] == [lost]
    assert counts["at_the_warehouse"] == 1
    assert lost in world.cli("sync", "poll").output
    assert found not in counts["missing"]


def test_order_that_big_cartel_lists_again_after_marking_is_named(world: World) -> None:
    numbers = world.sandbox.place_orders(count=2)
    world.run()
    world.sandbox.ship_all()
    world.run()
    world.sandbox.edit_order(numbers[0], shipping_status="unshipped")

    world.sweep()
    counts = _reconciliation(world)

    assert counts["not_told"] == [numbers[0]]
    assert numbers[0] in world.cli("sync", "poll").output
    assert world.sandbox.posted() == dict.fromkeys(numbers, 1)


def test_shipped_orders_not_yet_marked_are_counted(world: World) -> None:
    world.sandbox.place_orders(count=3)
    world.run()
    world.sandbox.ship_all()

    world.sweep()

    assert _reconciliation(world)["being_told"] == 3


def test_sums_use_the_last_answers_if_the_warehouse_fails(world: World) -> None:
    world.sandbox.place_orders(count=3)
    world.run()
    world.sandbox.fault("status", "status", times=None)

    world.sweep()
    counts = _reconciliation(world)

    assert counts["warehouse_asked"] is False
    assert counts["at_the_warehouse"] == 3


def test_order_that_we_closed_but_big_cartel_lists_is_named(world: World) -> None:
    canceled, by_person, by_an_older_version = world.sandbox.place_orders(count=3)
    world.poll()
    for number in (by_person, by_an_older_version):
        assert world.cli("orders", "close", number, "--reason", "gift").exit_code == 0
    with world.session() as session:
        session.execute(update(Order).where(Order.number == by_an_older_version).values(closed_because=None))
        session.commit()
    world.submit()
    world.sandbox.set_status(canceled, "Cancelled")
    world.track()

    world.sweep()
    counts = _reconciliation(world)

    assert counts["missing"] == [canceled]
    assert counts["left_out"] == 2
    assert canceled in world.cli("sync", "poll").output


def test_order_with_a_rate_that_is_never_sent_is_left_out(world: World) -> None:
    number = world.sandbox.place_order(labels=["Prints - [Studio visit]"])
    with world.session() as session:
        store = session.get_one(Store, world.store().id)
        mark_rates(session, store, {"Studio visit": RateMark.NEVER}, actor="tests", reason="", now=world.clock())

    world.run()
    counts = _reconciliation(world)

    assert world.reasons(number) == {"rate_never_sent"}
    assert (counts["left_out"], counts["missing"], counts["waiting"]) == (1, [], {})


def test_order_that_was_at_the_warehouse_and_closed_by_a_person_is_left_out(world: World) -> None:
    number = world.sandbox.place_order()
    world.clock.forward(minutes=-10)
    world.run()
    world.sandbox.forget(number)
    world.clock.forward(minutes=10)
    world.track()
    assert world.cli("orders", "close", number, "--reason", "shipped from home").exit_code == 0

    world.sweep()
    counts = _reconciliation(world)

    assert (counts["left_out"], counts["missing"], counts["waiting"]) == (1, [], {})


@pytest.mark.parametrize(("seconds_ago", "is_missing"), [(0, False), (29, False), (30, True), (600, True)])
def test_warehouse_may_need_half_a_minute_to_name_a_new_order(
    world: World, seconds_ago: int, *, is_missing: bool
) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.forget(number)
    now = world.clock()
    with world.session() as session:
        session.execute(update(Order).values(submitted_at=now - timedelta(seconds=seconds_ago)))
        session.commit()
        store = session.scalars(select(Store)).one()
        fcp = fcp_for(session, session.get_one(Merchant, store.merchant_id), world.settings, now=now)
        found = reconcile(session, store, [number], fcp, swept_at=now, now=now)

    assert found.missing == ([number] if is_missing else [])
    assert found.at_the_warehouse == (0 if is_missing else 1)
