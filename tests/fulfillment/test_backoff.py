"""When orders are tried again automatically, when that stops, and what only a person can start."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal.fulfillment.due import due
from portal.models import AttemptKind
from portal.rules.backoff import SPREAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fulfillment.world import World


@pytest.fixture
def world(sqlite_world: World) -> World:
    """SQLite only: the database makes no difference here."""
    return sqlite_world


def _submits(world: World) -> Sequence[int]:
    with world.session() as session:
        return due(session, track_seconds=300, now=world.clock()).submits


def test_backoff_grows_to_an_hour_and_ends_after_three_days(world: World) -> None:
    """The warehouse answers, but every time we send this one order, it returns an error."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "status", times=None)
    began = world.clock()

    def sent() -> int:
        return len(world.attempts(number, AttemptKind.SUBMIT))

    for minutes in (0, 1, 5, 15, 60, 60, 60):
        tries = sent()
        world.submit()
        assert sent() == tries + 1
        world.clock.forward(seconds=31)
        world.settle()
        assert world.states() == {number: "ready"}
        world.clock.forward(minutes=minutes, seconds=-36 if minutes else 0)
        if minutes:
            assert _submits(world) == []
            world.submit()
            assert sent() == tries + 1
        world.clock.forward(seconds=10)
        assert _submits(world) == [816]

    world.clock.ahead += began + timedelta(hours=71) - world.clock()
    world.submit()
    world.clock.forward(seconds=31)
    world.settle()
    assert world.order(number).next_attempt_at is not None
    world.clock.forward(hours=2)
    world.submit()
    world.clock.forward(seconds=31)
    world.settle()

    assert world.order(number).next_attempt_at is None
    world.sandbox.clear_faults()
    world.clock.forward(hours=30)
    world.submit()
    assert _submits(world) == []
    assert world.sandbox.accepted() == {}
    assert "We couldn't send this order for 72 hours" in world.cli("orders", "show", number).output

    world.cli("orders", "retry", number)
    world.submit()
    assert world.sandbox.accepted() == {number: 1}


def test_run_by_a_person_does_not_wait_for_backoff(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "throttle", retry_after="3600")
    world.submit()
    world.submit()
    assert world.sandbox.accepted() == {}

    result = world.cli("sync", "submit")

    assert result.exit_code == 0, result.output
    assert world.sandbox.accepted() == {number: 1}


def test_run_by_a_person_sends_orders_that_automatic_retries_gave_up_on(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "status", times=2)
    world.submit()
    world.clock.forward(hours=73)
    world.submit()
    world.clock.forward(minutes=2)
    world.submit()
    assert world.order(number).next_attempt_at is None

    assert world.cli("sync", "submit").exit_code == 0

    assert world.sandbox.accepted() == {number: 1}


def test_retry_after_from_the_warehouse_is_honored(world: World) -> None:
    world.sandbox.place_orders(count=3)
    world.poll()
    world.sandbox.fault("submit", "throttle", retry_after="3000")
    world.submit()
    world.sandbox.clear_calls()

    for _ in range(4):
        world.clock.forward(minutes=12)
        world.run()
    assert world.sandbox.calls("fcp") == {}

    world.clock.forward(minutes=3)
    world.run()
    assert len(world.sandbox.accepted()) == 3


def test_rejected_order_is_sent_again_only_by_a_person(world: World) -> None:
    world.sandbox.put_merchant("816", name="Example Shop", token="merchant-token-of-the-tests-816", skus=["OTHER"])
    number = world.sandbox.place_order()
    world.run()
    assert world.states() == {number: "rejected"}

    world.clock.forward(days=4)
    for _ in range(3):
        world.run()
        world.clock.forward(hours=2)
    assert world.cli("sync", "all").exit_code == 0
    assert world.sandbox.posted() == {number: 1}
    shown = world.cli("orders", "show", number).output
    assert "Invalid SKU: MUG-01" in shown
    assert "retry" in shown

    world.sandbox.put_merchant("816", name="Example Shop", token="merchant-token-of-the-tests-816")
    retried = world.cli("orders", "retry", number)
    assert retried.exit_code == 0, retried.output
    world.run()

    assert world.sandbox.accepted() == {number: 1}


def test_retry_uses_the_current_description(world: World) -> None:
    """The merchant fixes what the warehouse rejected and retries right away."""
    world.sandbox.put_merchant("816", name="Example Shop", token="merchant-token-of-the-tests-816", skus=["MUG-02"])
    number = world.sandbox.place_order()
    world.run()
    assert world.states() == {number: "rejected"}

    world.sandbox.patch_product("1", description="SKU:MUG-02")
    world.cli("orders", "retry", number)
    sent = world.cli("sync", "submit")

    assert sent.exit_code == 0, sent.output
    assert world.sandbox.accepted() == {number: 1}


def test_rejected_order_is_not_sent_again_with_an_outdated_description(world: World) -> None:
    number = world.sandbox.place_order()
    world.sandbox.fault("submit", "refuse", words="Order value too high")
    world.run()
    world.sandbox.fault("any", "status", side="bigcartel", times=None)

    retried = world.cli("orders", "retry", number)
    world.cli("sync", "submit")

    assert retried.exit_code == 1
    assert "from Big Cartel, and that failed" in retried.output
    assert world.states() == {number: "rejected"}

    world.sandbox.clear_faults()
    retried = world.cli("orders", "retry", number)
    world.cli("sync", "submit")

    assert retried.exit_code == 0, retried.output
    assert world.sandbox.accepted() == {number: 1}


def test_order_at_the_warehouse_cannot_be_retried_or_closed(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()

    retried = world.cli("orders", "retry", number)
    closed = world.cli("orders", "close", number, "--reason", "no")

    assert retried.exit_code == closed.exit_code == 1
    assert "can't be retried. The warehouse already has it." in retried.output
    assert "can't be closed" in closed.output
    world.cli("sync", "all")
    assert world.sandbox.posted() == {number: 1}


def test_closed_order_is_not_sent_until_a_person_retries_it(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    closed = world.cli("orders", "close", number, "--reason", "the buyer changed her mind")
    assert closed.exit_code == 0, closed.output

    world.sandbox.edit_order(number, customer_note="hello")
    world.run()
    world.sweep()
    world.run()
    assert world.sandbox.posted() == {}
    assert "the buyer changed her mind" in world.cli("orders", "show", number).output

    world.cli("orders", "retry", number)
    world.run()
    assert world.sandbox.accepted() == {number: 1}


def test_polls_of_stores_that_were_due_together_drift_apart(sqlite_world: World) -> None:
    waits = []
    for _ in range(5):
        world, began = sqlite_world, sqlite_world.clock()
        world.poll()
        next_poll = world.store().next_poll_at
        assert next_poll is not None
        waits.append((next_poll - began).total_seconds() / world.settings.poll_seconds)
    assert len(set(waits)) == 5
    assert min(waits) >= 1 - SPREAD


def test_failed_polls_are_repeated_at_the_usual_time(sqlite_world: World) -> None:
    world = sqlite_world
    world.sandbox.fault("orders", "html", times=None)
    for _ in range(6):
        world.poll()
        next_poll = world.store().next_poll_at
        assert next_poll is not None
        assert (next_poll - world.clock()).total_seconds() <= world.settings.poll_seconds
    assert world.store().poll_failures == 6
    assert world.store().poll_error

    world.sandbox.clear_faults()
    world.poll()
    next_poll = world.store().next_poll_at
    assert next_poll is not None
    assert (next_poll - world.clock()).total_seconds() <= world.settings.poll_seconds
