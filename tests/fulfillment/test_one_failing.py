"""What fails for one merchant, one store, or one kind of call pauses nobody else, and is not called without a pause."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal.clients.bigcartel import BigCartel
from portal.clients.errors import NotSent, OutcomeUnknown
from portal.clients.fcp import Accepted, Fcp, OrderRequest
from portal.fulfillment import hosts
from portal.fulfillment.due import due
from portal.models import HostName, OrderState
from tests.fulfillment.world import ACCOUNT, MERCHANT

if TYPE_CHECKING:
    from portal.clients.bigcartel_types import Document
    from tests.fulfillment.world import World

OTHER_MERCHANT, OTHER_ACCOUNT = 917, "1000002"


def is_failing(world: World, name: HostName) -> bool:
    with world.session() as session:
        return hosts.failing(session, name) is not None


def run_if_due(world: World) -> None:
    """Submit and track as the schedule does: only what is due."""
    with world.session() as session:
        now_due = due(session, track_seconds=300, now=world.clock())
        session.commit()
    if MERCHANT in now_due.submits:
        world.submit()
    if MERCHANT in now_due.settles:
        world.settle()
    if MERCHANT in now_due.tracks:
        world.track()


def test_failed_check_of_one_merchants_credentials_pauses_only_that_merchant(world: World) -> None:
    world.add_merchant(OTHER_MERCHANT, OTHER_ACCOUNT)
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "unauthorized", times=None, merchant=str(MERCHANT))
    world.sandbox.fault("inventory", "status", status=500, times=None, merchant=str(MERCHANT))
    world.submit()

    assert not is_failing(world, HostName.WAREHOUSE)
    merchant, order = world.merchant(), world.order(number)
    assert merchant.credentials_refused_at is None
    assert merchant.fcp_after is not None
    assert merchant.fcp_after > world.clock()
    assert (order.state, order.failures) == (OrderState.READY, 0)


def test_rate_limit_of_one_store_does_not_pause_the_others(world: World) -> None:
    world.add_merchant(OTHER_MERCHANT, OTHER_ACCOUNT)
    world.sandbox.fault("orders", "status", status=500, times=None, account=ACCOUNT)
    world.sandbox.fault("account", "throttle", retry_after="3600", times=None, account=OTHER_ACCOUNT)
    world.poll()

    assert not is_failing(world, HostName.BIG_CARTEL)


def test_store_at_its_rate_limit_shows_that_big_cartel_answers_again(world: World) -> None:
    world.sandbox.fault("any", "reset_before", side="bigcartel", times=20)
    world.poll()
    assert is_failing(world, HostName.BIG_CARTEL)

    world.sandbox.clear_faults()
    world.sandbox.fault("account", "throttle", retry_after="3600", times=None)
    world.clock.forward(seconds=31)
    world.probe()

    assert not is_failing(world, HostName.BIG_CARTEL)


def test_merchant_at_its_rate_limit_is_not_asked_whether_the_warehouse_answers(world: World) -> None:
    limited = range(930, 935)
    for merchant in (OTHER_MERCHANT, *limited):
        world.add_merchant(merchant, f"1000{merchant}")
    for merchant in limited:
        world.change_merchant(merchant, fcp_after=world.clock() + timedelta(hours=1))
        world.sandbox.fault("inventory", "throttle", retry_after="3600", times=None, merchant=str(merchant))
    world.sandbox.place_order(account=ACCOUNT)
    world.poll()
    world.submit()
    world.sandbox.fault("status", "status", status=500, times=None, merchant=str(MERCHANT))
    world.track()

    assert world.merchant().tracking_error
    assert not is_failing(world, HostName.WAREHOUSE)


def test_failing_submissions_pause_although_the_warehouse_answers_status_calls(world: World) -> None:
    world.add_merchant(OTHER_MERCHANT, OTHER_ACCOUNT)
    world.sandbox.place_orders([{}] * 20, account=ACCOUNT)
    world.poll()
    world.sandbox.fault("submit", "status", status=500, times=None)
    for _ in range(13):
        run_if_due(world)
        world.clock.forward(seconds=5)
    assert sum(world.sandbox.posted().values()) <= 9, "three at a time, with half a minute in between"

    world.sandbox.clear_faults()
    for _ in range(15):
        run_if_due(world)
        world.clock.forward(seconds=5)
    assert set(world.states().values()) == {"submitted"}


def test_failing_updates_of_one_store_pause_although_big_cartel_answers(world: World) -> None:
    numbers = world.sandbox.place_orders([{}] * 12, account=ACCOUNT)
    world.poll()
    world.submit()
    world.sandbox.ship_all()
    world.sandbox.fault("patch", "status", status=500, times=None)
    for _ in range(12):
        run_if_due(world)
        world.clock.forward(seconds=5)
    assert world.sandbox.calls("bigcartel")["PATCH /v1/accounts/{account}/orders/{order}"] == 3
    assert world.sandbox.calls("fcp")["POST /xml/status/"] == 1

    world.sandbox.clear_faults()
    for number in numbers[:3]:
        world.sandbox.fault("patch", "status", status=500, times=None, order=number)
    world.clock.forward(seconds=5)
    run_if_due(world)
    states = world.states()
    assert [states[number] for number in numbers] == ["shipped"] * 3 + ["completed"] * 9


def test_lookups_that_time_out_do_not_keep_new_orders_out(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = sqlite_world
    missing = world.sandbox.place_orders([{"payment_status": "pending"}] * 12)
    world.poll()
    for number in missing:
        world.sandbox.ship_at_bigcartel(number)
    new = world.sandbox.place_order()
    asked = []

    def time_out(_: BigCartel, number: str) -> Document:
        asked.append(number)
        world.clock.forward(minutes=1)
        raise OutcomeUnknown("Big Cartel timed out.", service="Big Cartel")

    monkeypatch.setattr(BigCartel, "order", time_out)
    world.sweep()

    assert len(asked) == 3
    assert world.states()[new] == "ready"


def test_broken_inventory_call_does_not_keep_an_outage_going(world: World) -> None:
    """The FCP is probed with one of two calls, so that one of them may be broken for good."""
    world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("any", "status", side="fcp", status=503, times=None)
    world.submit()
    assert is_failing(world, HostName.WAREHOUSE)
    world.sandbox.clear_faults()
    world.sandbox.fault("inventory", "html", times=None)

    for _ in range(40):
        world.clock.forward(seconds=31)
        world.probe()
        if not is_failing(world, HostName.WAREHOUSE):
            break
    else:
        pytest.fail("It was never found to answer again.")


def test_first_accepted_order_after_failing_submissions_releases_those_of_all_merchants(world: World) -> None:
    """With one waiting order each, a merchant can't tell failing submissions from an order that is at fault."""
    world.add_merchant(OTHER_MERCHANT, OTHER_ACCOUNT)
    mine = world.sandbox.place_order()
    theirs = world.sandbox.place_order(account=OTHER_ACCOUNT)
    world.poll()
    world.poll(OTHER_ACCOUNT)
    world.sandbox.fault("submit", "status", status=503, times=None)
    for _ in range(4):
        for merchant in (MERCHANT, OTHER_MERCHANT):
            world.submit(merchant)
        world.clock.forward(seconds=61)
    assert world.order(theirs).failures > 1
    world.sandbox.clear_faults()
    waits_until = world.clock() + timedelta(hours=1)
    world.change_order(theirs, next_attempt_at=waits_until)
    world.change_order(mine, next_attempt_at=world.clock())
    world.submit()
    world.submit()
    assert world.states()[mine] == "submitted"

    assert world.order(theirs).next_attempt_at != waits_until
    world.submit(OTHER_MERCHANT)
    world.submit(OTHER_MERCHANT)
    assert world.sandbox.accepted() == {mine: 1, theirs: 1}


def test_one_lost_connection_pauses_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = world.sandbox.place_orders(count=6)
    world.poll()
    real = Fcp.submit
    lost: list[str] = []

    def submit(self: Fcp, order: OrderRequest, *, test: bool = False) -> Accepted:
        if order.order_number == numbers[2] and not lost:
            lost.append(order.order_number)
            raise NotSent("we couldn't reach the warehouse: the connection failed.", service="the warehouse")
        return real(self, order, test=test)

    monkeypatch.setattr(Fcp, "submit", submit)
    world.submit()

    assert not is_failing(world, HostName.WAREHOUSE)
    assert world.merchant().fcp_after is None
    world.submit()
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert {world.order(number).failures for number in numbers} == {0}


def test_settling_does_not_call_a_store_while_big_cartel_fails(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=1)
    world.submit()
    world.sandbox.fault("any", "status", side="bigcartel", status=503, times=None)
    world.poll()
    assert is_failing(world, HostName.BIG_CARTEL)
    world.sandbox.clear_calls()

    world.clock.forward(seconds=31)
    assert "as soon as we can check them in Big Cartel" in world.settle().problem
    assert world.sandbox.calls("bigcartel") == {}
    assert world.states() == {number: "unconfirmed"}

    world.sandbox.clear_faults()
    world.clock.forward(seconds=31)
    world.probe()
    world.submit()
    assert world.sandbox.accepted() == {number: 1}
