"""An outage costs its own length: nothing is counted against anyone, and the first clear answer releases everything."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.fulfillment import hosts
from portal.fulfillment.clients import make_due
from portal.fulfillment.due import due
from portal.models import Attempt, AttemptKind, AttemptOutcome, HostName, Merchant, OrderState
from portal.wording.states import GONE_FROM_BIG_CARTEL
from tests.fulfillment.world import BY_PERSON, MERCHANT_TOKEN

if TYPE_CHECKING:
    from portal.fulfillment.due import Due
    from tests.fulfillment.world import World

TICK = 5.0
OUTAGES: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 503}),
    ("status", {"status": 500}),
    ("reset_before", {}),
    ("html", {}),
    ("throttle", {}),
    ("throttle", {"retry_after": "45"}),
    ("refuse", {"words": "System maintenance in progress, please try again later."}),
]
IDS = [f"{kind}-{'-'.join(map(str, details.values()))[:18]}" for kind, details in OUTAGES]


def _due(world: World) -> Due:
    with world.session() as session:
        return due(session, track_seconds=300, now=world.clock())


def _tick(world: World) -> None:
    """Do what the schedule and its workers do in five seconds, except polling."""
    now_due = _due(world)
    for merchant in (*now_due.credentials, *([816] if now_due.probes else [])):
        world.probe(merchant)
    for merchant in now_due.settles:
        world.settle(merchant)
    for merchant in now_due.submits:
        world.submit(merchant)
    world.clock.forward(seconds=TICK)


def _ticks(world: World, seconds: float) -> None:
    for _ in range(int(seconds / TICK)):
        _tick(world)


def _until_sent(world: World, numbers: list[str], at_most: float) -> None:
    """Tick until every order is at the warehouse."""
    began = world.clock()
    while {world.states()[number] for number in numbers} != {"submitted"}:
        _tick(world)
        assert (world.clock() - began).total_seconds() <= at_most, world.states()


@pytest.mark.parametrize("minutes", [1, 10, 60])
@pytest.mark.parametrize(("kind", "details"), OUTAGES, ids=IDS)
def test_everything_is_sent_within_a_minute_after_an_outage(
    sqlite_world: World, kind: str, details: dict[str, Any], minutes: int
) -> None:
    world = sqlite_world
    numbers = world.sandbox.place_orders(count=12)
    world.poll()
    world.sandbox.fault("any", kind, side="fcp", times=None, **details)
    world.sandbox.clear_calls()

    _ticks(world, minutes * 60)
    probes = world.sandbox.calls("fcp").get("POST /xml/inventory/", 0)
    assert probes <= 3 * minutes
    assert len({number for number in numbers if world.attempts(number, AttemptKind.SUBMIT)}) <= 3
    assert {world.order(number).failures for number in numbers} == {0}
    assert (_due(world).submits, _due(world).settles, _due(world).tracks) == ([], [], [])

    world.sandbox.clear_faults()
    _until_sent(world, numbers, at_most=60)
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert (world.merchant().fcp_after, world.merchant().fcp_error) == (None, "")


@pytest.mark.parametrize("minutes", [1, 10])
def test_everything_is_sent_soon_after_only_submissions_failed(sqlite_world: World, minutes: int) -> None:
    """The inventory call answers throughout, so the FCP doesn't count as failing for everyone."""
    world = sqlite_world
    numbers = world.sandbox.place_orders(count=30)
    world.poll()
    world.sandbox.fault("submit", "status", status=503, times=None)
    world.sandbox.clear_calls()

    _ticks(world, minutes * 60)
    assert world.sandbox.calls("fcp")["POST /xml/orders/"] <= 6 * minutes + 6, "at most three in half a minute"
    world.sandbox.clear_faults()
    _until_sent(world, numbers, at_most=75)

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_probes_do_not_grow_with_the_number_of_merchants(sqlite_world: World) -> None:
    world = sqlite_world
    accounts = {816 + extra: str(1_000_001 + extra) for extra in range(10)}
    for merchant, account in accounts.items():
        if merchant != 816:
            world.add_merchant(merchant, account)
        world.sandbox.place_orders(count=2, account=account)
        world.poll(account)
    world.sandbox.fault("any", "status", side="fcp", times=None)
    _ticks(world, 10)
    world.sandbox.clear_calls()

    _ticks(world, 300)

    calls = world.sandbox.calls("fcp")
    assert set(calls) <= {"POST /xml/inventory/", "POST /xml/status/"}
    assert sum(calls.values()) <= 3 * 5
    world.sandbox.clear_faults()
    _until_sent(world, list(world.states()), at_most=60)


def test_one_order_that_always_fails_stops_no_other(world: World) -> None:
    numbers = world.sandbox.place_orders(count=9)
    for number in numbers[:3]:
        world.sandbox.fault("submit", "status", status=500, order=number, times=None)
    world.poll()

    # Twice, the three that come first pause sending for half a minute.
    _until_sent(world, numbers[3:], at_most=90)

    _ticks(world, 600)
    with world.session() as session:
        assert hosts.failing(session, HostName.WAREHOUSE) is None
    tries = [len(world.attempts(number, AttemptKind.SUBMIT)) for number in numbers[:3]]
    assert max(tries) <= 6, "its own backoff grows"
    later = world.sandbox.place_order()
    world.poll()
    _until_sent(world, [later], at_most=60)


def test_failing_service_ends_a_pause_with_the_first_clear_answer_of_any_run(world: World) -> None:
    numbers = world.sandbox.place_orders(count=4)
    world.poll()
    world.sandbox.fault("any", "status", side="fcp", status=503, times=None)
    world.submit()
    assert "returned an error" in world.submit().problem
    world.sandbox.clear_faults()

    world.clock.forward(seconds=31)
    assert world.submit(context=BY_PERSON).problem == ""

    with world.session() as session:
        assert hosts.failing(session, HostName.WAREHOUSE) is None
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_big_cartels_outage_pauses_all_stores_and_ends_for_all(world: World) -> None:
    world.add_merchant(817, "1000002")
    world.sandbox.fault("any", "status", side="bigcartel", status=503, times=None)
    world.poll()
    world.sandbox.clear_calls()
    assert "returned an error" in world.poll("1000002").problem
    assert world.sandbox.calls("bigcartel") == {}, "the other store isn't called"
    world.clock.forward(minutes=10)
    assert (_due(world).polls, _due(world).products) == ([], [])

    world.sandbox.clear_faults()
    world.probe()

    assert len(_due(world).polls) == 2


def test_account_on_credit_hold_rejects_its_order_and_stops_no_other(world: World) -> None:
    on_hold, *others = world.sandbox.place_orders(count=12)
    words = "Merchant account on credit hold"
    world.sandbox.fault("submit", "refuse", words=words, order=on_hold, times=None)
    world.poll()
    world.submit()

    assert world.sandbox.accepted() == dict.fromkeys(others, 1)
    order = world.order(on_hold)
    assert (order.state, order.state_reason) == (OrderState.REJECTED, words)
    assert [attempt.outcome for attempt in world.attempts(on_hold)] == [AttemptOutcome.REFUSED]
    assert world.merchant().credentials_refused_at is None


def test_stopped_merchant_resumes_when_the_warehouse_accepts_its_credentials_again(world: World) -> None:
    numbers = world.sandbox.place_orders(count=3)
    world.poll()
    world.sandbox.put_merchant("816", name="Example Shop", token="another token")
    world.submit()
    assert world.merchant().credentials_refused_at is not None
    assert world.merchant().credentials_refused_words == "Invalid MerchantToken"
    _ticks(world, 300)
    world.sandbox.put_merchant("816", name="Example Shop", token=f"{MERCHANT_TOKEN}-816")

    _until_sent(world, numbers, at_most=600)

    assert world.merchant().credentials_refused_words == ""
    assert {world.order(number).failures for number in numbers} == {0}


def test_order_in_doubt_that_was_deleted_in_the_store_is_not_sent_again(world: World) -> None:
    kept, deleted = world.sandbox.place_orders(count=2)
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=2)
    world.submit()
    world.sandbox.cancel_order(deleted, gone=True)

    _ticks(world, 90)

    assert world.sandbox.posted() == {kept: 1}
    order = world.order(deleted)
    assert (order.state, order.state_reason) == (OrderState.CLOSED, GONE_FROM_BIG_CARTEL)


def test_order_in_doubt_is_not_sent_again_while_its_store_cannot_be_asked(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=1)
    world.sandbox.fault("any", "status", side="bigcartel", times=None)
    world.submit()

    _ticks(world, 120)
    assert world.states() == {number: "unconfirmed"}
    assert world.sandbox.posted() == {}

    world.sandbox.clear_faults()
    _until_sent(world, [number], at_most=90)


def test_patience_counts_from_the_departure_of_the_request(world: World) -> None:
    """A request may leave long after its order was claimed; "not there" counts only 30 seconds after it left."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before", times=1)
    world.submit()
    (sent,) = world.attempts(number, AttemptKind.SUBMIT)
    assert sent.departed_at is not None
    assert sent.started_at <= sent.departed_at
    assert sent.finished_at is not None
    assert sent.departed_at <= sent.finished_at
    with world.session() as session:
        attempt = session.get_one(Attempt, sent.id)
        attempt.started_at -= timedelta(seconds=60)
        session.commit()

    world.clock.forward(seconds=20)
    world.submit()
    assert world.sandbox.posted() == {}
    world.clock.forward(seconds=11)
    world.submit()
    assert world.sandbox.accepted() == {number: 1}


def test_sync_now_makes_everything_due(world: World) -> None:
    waiting, given_up, in_doubt = world.sandbox.place_orders(count=3)
    world.poll()
    later = world.clock().replace(year=2126)
    world.change_order(waiting, next_attempt_at=later)
    world.change_order(given_up, next_attempt_at=None, failures=9, first_failed_at=world.clock())
    earlier = world.clock() - timedelta(minutes=1)
    world.change_order(in_doubt, state=OrderState.UNCONFIRMED, state_changed_at=earlier, next_attempt_at=later)
    world.change_merchant(fcp_after=later, fcp_error="It failed.")
    assert (_due(world).submits, _due(world).settles) == ([], [])

    with world.session() as session:
        make_due(session, session.get_one(Merchant, 816), world.clock())
        session.commit()

    assert (_due(world).submits, _due(world).settles) == ([816], [816])
    world.submit()
    assert set(world.states().values()) == {"submitted"}
