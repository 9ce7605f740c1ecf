"""The ledger adds up, from both sides' live lists; a remainder is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.models import StoredReconciliation
    from tests.fulfillment.world import World


def _ledger(world: World) -> StoredReconciliation:
    ledger = world.store().reconciliation
    assert ledger is not None
    total = ledger["at_the_warehouse"] + sum(ledger["waiting"].values()) + ledger["left_out"] + len(ledger["missing"])
    assert ledger["unshipped_and_paid"] == total
    told = ledger["being_told"] + len(ledger["not_told"])
    assert ledger["shipped_by_the_warehouse"] == told
    return ledger


def test_every_order_is_in_one_place(world: World) -> None:
    sent = world.sandbox.place_orders(count=5)
    world.sandbox.place_order(payment_status="unpaid")
    world.sandbox.place_order(labels=["Local pickup"])
    refused = world.sandbox.place_order()
    closed = world.sandbox.place_order()
    world.poll()
    world.cli("orders", "close", closed, "--reason", "gift")
    world.sandbox.fault("submit", "refuse", order=refused)
    world.submit()
    waiting = world.sandbox.place_order()

    world.sweep()
    ledger = _ledger(world)

    assert waiting in world.states()
    assert ledger["unshipped_and_paid"] == 9
    assert ledger["at_the_warehouse"] == len(sent)
    assert ledger["waiting"] == {"local_pickup": 1, "rejected": 1, "ready to send": 1}
    assert ledger["left_out"] == 1
    assert ledger["missing"] == ledger["not_told"] == []


def test_what_the_warehouse_lost_is_named(world: World) -> None:
    lost, kept = world.sandbox.place_orders(count=2)
    world.run()
    world.sandbox.forget(lost)

    world.clock.forward(minutes=61)
    result_of_sweep = world.poll()
    ledger = _ledger(world)

    assert result_of_sweep.swept
    assert ledger["missing"] == [lost]
    assert ledger["at_the_warehouse"] == 1
    assert lost in world.cli("sync", "poll").output
    assert kept not in ledger["missing"]


def test_what_big_cartel_forgot_to_mark_is_named(world: World) -> None:
    numbers = world.sandbox.place_orders(count=2)
    world.run()
    world.sandbox.ship_all()
    world.run()
    world.sandbox.edit_order(numbers[0], shipping_status="unshipped")

    world.sweep()
    ledger = _ledger(world)

    assert ledger["not_told"] == [numbers[0]]
    assert numbers[0] in world.cli("sync", "poll").output
    assert world.sandbox.posted() == dict.fromkeys(numbers, 1)


def test_shipped_and_not_yet_told(world: World) -> None:
    world.sandbox.place_orders(count=3)
    world.run()
    world.sandbox.ship_all()

    world.sweep()

    assert _ledger(world)["being_told"] == 3


def test_the_sums_rest_on_the_last_answers_when_the_warehouse_is_silent(world: World) -> None:
    world.sandbox.place_orders(count=3)
    world.run()
    world.sandbox.fault("status", "status", times=None)

    world.sweep()
    ledger = _ledger(world)

    assert ledger["warehouse_asked"] is False
    assert ledger["at_the_warehouse"] == 3
