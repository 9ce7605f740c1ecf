"""Reconciliation of both sides' live lists: the sums match, and orders unaccounted for are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
