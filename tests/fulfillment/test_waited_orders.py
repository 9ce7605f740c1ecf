"""An order that has waited for more than five minutes is sent with the SKUs that its store shows when it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.bigcartel import BigCartel
from portal.engine.leases import LeaseKind, leased
from portal.fulfillment.due import due
from portal.fulfillment.hosts import all_failing
from portal.fulfillment.run_context import RunContext
from portal.fulfillment.submit.run import submit_merchant
from portal.models import AttemptKind, HostName, SkuOverride
from portal.wording.stops import PRODUCTS_NOT_READ
from tests.fulfillment.world import ACCOUNT, BY_PERSON, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.fulfillment.world import World

pytestmark = pytest.mark.usefixtures("short_timeouts")
ONE, LIST = "GET /v1/accounts/{account}/products/{product}", "GET /v1/accounts/{account}/products"


def _skus(world: World, number: str) -> list[str]:
    return [item["sku"] for item in world.sandbox.received()[number]["items"]]


def _waiting(world: World, count: int = 1, minutes: float = 6, **fields: Any) -> list[str]:
    """Place orders, read them, and let them wait: the warehouse is away."""
    numbers = world.sandbox.place_orders([fields] * count)
    world.poll()
    world.clock.forward(minutes=minutes)
    world.sandbox.clear_calls()
    return numbers


def _submits(world: World) -> Sequence[int]:
    with world.session() as session:
        return due(session, track_seconds=300, now=world.clock()).submits


def test_order_that_waited_is_sent_with_the_changed_sku(world: World) -> None:
    (number,) = _waiting(world)
    world.sandbox.patch_product("1", description="SKU:MUG-02")

    world.submit()

    assert _skus(world, number) == ["MUG-02"]
    assert [line["sku"] for line in world.order(number).lines] == ["MUG-02"]
    assert world.sandbox.calls("bigcartel") == {ONE: 1}


def test_order_that_has_not_waited_costs_no_call(world: World) -> None:
    numbers = _waiting(world, count=3, minutes=4)

    world.submit()

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert world.sandbox.calls("bigcartel") == {}


def test_order_that_failed_once_still_counts_as_waiting(world: World) -> None:
    (number,) = _waiting(world, minutes=4)
    world.sandbox.fault("submit", "status", status=503, times=None)
    world.submit()
    world.clock.forward(minutes=4)
    world.sandbox.patch_product("1", description="SKU:MUG-02")
    world.sandbox.clear_faults()

    world.run()

    world.clock.forward(minutes=1)
    world.run()
    assert _skus(world, number) == ["MUG-02"]


def test_product_read_a_moment_ago_is_read_again(world: World) -> None:
    """Each run reads the products itself: a failed one may have been just before the change."""
    (number,) = _waiting(world)
    world.sandbox.fault("submit", "throttle", times=1)
    world.submit()
    world.sandbox.patch_product("1", description="SKU:MUG-02")

    world.submit(context=BY_PERSON)

    assert _skus(world, number) == ["MUG-02"]


def test_order_that_lost_its_sku_while_waiting_is_held(world: World) -> None:
    (number,) = _waiting(world)
    world.sandbox.patch_product("1", description="A mug without any.")

    result = world.submit()

    assert (result.held, world.reasons(number)) == (1, {"no_sku"})
    assert world.attempts(number) == []


def test_deleted_product_holds_the_order_that_waited(world: World) -> None:
    (number,) = _waiting(world)
    world.sandbox.delete_product("1")

    world.submit()

    assert (world.states(), world.reasons(number)) == ({number: "held"}, {"product_gone"})


def test_order_in_doubt_is_sent_again_with_the_changed_sku(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=1)
    world.submit()
    world.clock.forward(minutes=6)
    world.sandbox.patch_product("1", description="SKU:MUG-02")

    world.submit()

    assert _skus(world, number) == ["MUG-02"]
    assert len(world.attempts(number, AttemptKind.SUBMIT)) == 2


def test_order_in_doubt_is_settled_by_its_number_with_the_changed_sku(world: World) -> None:
    """The warehouse offers no status call, so the order is sent again to see whether it is there."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=2)
    world.sandbox.fault("status", "status", status=404, times=None)
    world.submit()
    world.clock.forward(minutes=6)
    world.sandbox.patch_product("1", description="SKU:MUG-02")

    world.submit()

    assert _skus(world, number) == ["MUG-02"]


def test_backlog_reads_each_product_once_or_the_list(sqlite_world: World) -> None:
    world = sqlite_world
    for number in range(2, 9):
        world.sandbox.put_product(str(number), name=f"Product {number}", description=f"SKU:P-{number}")
    specs = [{"items": [{"product": str(1 + n % 8)}]} for n in range(240)]
    numbers = world.sandbox.place_orders(specs)
    world.poll()
    world.clock.forward(minutes=6)
    world.sandbox.clear_calls()

    world.submit()

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert world.sandbox.calls("bigcartel") == {LIST: 1}


def test_orders_that_begin_to_wait_during_the_run_are_sent_with_fresh_products(sqlite_world: World) -> None:
    world = sqlite_world
    numbers = _waiting(world, count=60, minutes=4)
    world.sandbox.patch_product("1", description="SKU:MUG-02")

    def hurrying_clock() -> datetime:
        world.clock.forward(seconds=2)
        return world.clock()

    with world.session() as session:
        submit_merchant(session, MERCHANT, world.settings, RunContext(clock=hurrying_clock))

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert {_skus(world, numbers[0])[0], _skus(world, numbers[-1])[0]} == {"MUG-01", "MUG-02"}
    assert 1 <= world.sandbox.calls("bigcartel")[ONE] <= 2


@pytest.mark.parametrize("kind", ["status", "html", "reset_before", "throttle"])
def test_order_waits_while_its_product_cannot_be_read(world: World, kind: str) -> None:
    (number,) = _waiting(world)
    world.sandbox.patch_product("1", description="SKU:MUG-02")
    world.sandbox.fault("any", kind, side="bigcartel", times=None)

    result = world.submit()

    assert result.problem == PRODUCTS_NOT_READ
    assert (world.states(), world.sandbox.posted(), world.attempts(number)) == ({number: "ready"}, {}, [])
    assert _submits(world) == []

    world.sandbox.clear_faults()
    world.clock.forward(minutes=1)
    world.probe()
    assert _submits(world) == [MERCHANT]
    world.submit()
    assert _skus(world, number) == ["MUG-02"]


def test_everything_goes_at_once_when_big_cartel_answers(world: World) -> None:
    numbers = _waiting(world, count=3)
    world.sandbox.fault("any", "status", status=503, side="bigcartel", times=None)
    world.submit()
    with world.session() as session:
        assert HostName.BIG_CARTEL in all_failing(session)
    world.sandbox.clear_calls()
    world.submit()
    assert world.sandbox.calls("bigcartel") == {}, "nobody calls it while it fails"
    world.sandbox.clear_faults()

    world.clock.forward(seconds=30)
    world.probe()

    assert _submits(world) == [MERCHANT]
    world.submit()
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_person_who_syncs_now_does_not_wait_for_the_next_probe(world: World) -> None:
    (number,) = _waiting(world)
    world.sandbox.fault("any", "status", status=503, side="bigcartel", times=None)
    world.submit()
    world.sandbox.clear_faults()

    world.submit(context=BY_PERSON)

    assert world.sandbox.accepted() == {number: 1}
    with world.session() as session:
        assert all_failing(session) == {}


def test_new_order_is_sent_while_an_older_one_waits_for_big_cartel(world: World) -> None:
    (old,) = _waiting(world)
    new = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("any", "status", status=503, side="bigcartel", times=None)

    world.submit()

    assert world.states() == {old: "ready", new: "submitted"}


def test_product_that_cannot_be_read_holds_up_only_its_own_orders(world: World) -> None:
    world.sandbox.put_product("2", name="Pot", description="SKU:POT")
    mug, pot = world.sandbox.place_orders([{"items": [{"product": "1"}]}, {"items": [{"product": "2"}]}])
    world.poll()
    world.clock.forward(minutes=6)
    world.sandbox.fault("product", "html", times=1)

    world.submit()

    assert world.states() == {mug: "ready", pot: "submitted"}
    assert _submits(world) == []
    world.clock.forward(seconds=31)
    world.submit()
    assert world.sandbox.accepted() == {mug: 1, pot: 1}


def test_revoked_token_stops_the_orders_that_waited_and_is_said(world: World) -> None:
    (number,) = _waiting(world)
    world.sandbox.put_account(ACCOUNT, tokens=["another token"])

    world.submit()

    assert world.states() == {number: "ready"}
    assert world.store().reconnect_needed_at is not None
    assert _submits(world) == []


def test_sync_in_progress_postpones_the_orders_that_waited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = _waiting(world)
    monkeypatch.setattr("portal.fulfillment.submit.waited.LEASE_WAIT", 0.0)
    with world.session() as other, leased(other, LeaseKind.READ.of(world.store().id)):
        world.submit()
    assert world.states() == {number: "ready"}

    world.clock.forward(seconds=31)
    world.submit()
    assert world.sandbox.accepted() == {number: 1}


def test_no_transaction_is_open_while_products_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _waiting(world)
    was_open = []
    real = BigCartel.product

    def product(self: BigCartel, product_id: str) -> Any:
        was_open.append(session.in_transaction())
        return real(self, product_id)

    monkeypatch.setattr(BigCartel, "product", product)
    with world.session() as session:
        submit_merchant(session, MERCHANT, world.settings, RunContext(clock=world.clock))
    assert was_open == [False]


def test_sku_of_an_option_set_by_hand_needs_no_reading(world: World) -> None:
    world.sandbox.put_product("2", name="Sock", description="SKU:SOCK-", options=[{"id": "21", "name": "Small"}])
    (number,) = world.sandbox.place_orders([{"items": [{"product": "2"}]}])
    world.poll()
    with world.session() as session:
        session.add(
            SkuOverride(
                store_id=world.store().id, product_id="2", option_id="21", sku="S-1", set_by="x", set_at=world.clock()
            )
        )
        session.commit()
    world.clock.forward(minutes=6)
    world.sandbox.fault("product", "html", times=None)

    world.submit()

    assert _skus(world, number) == ["S-1"]
