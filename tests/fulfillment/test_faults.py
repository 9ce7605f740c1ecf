"""Whatever fails during submission, the warehouse gets each order exactly once and no order is lost."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from portal.clients.fcp import Fcp
from portal.fulfillment.submit import settle
from portal.models import AttemptKind, AttemptOutcome
from portal.rules.patience import STATUS_LAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.clients.fcp import OrderStatus
    from tests.fulfillment.world import World

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("reset_before", {}),
    ("reset_after", {}),
    ("cut_after", {}),
    ("truncate", {}),
    ("namespace", {}),
    ("garbage", {}),
    ("garbage_after", {}),
    ("html", {}),
    ("html_after", {}),
    ("empty", {}),
    ("empty_after", {}),
    ("big", {}),
    ("big_after", {}),
    ("entity_bomb", {}),
    ("entity_bomb_after", {}),
    ("status", {"status": 500}),
    ("status_after", {"status": 500}),
    ("status_after", {"status": 503, "retry_after": "1"}),
    ("status_after", {"status": 404}),
    ("status_after", {"status": 302}),
    ("throttle", {}),
    ("throttle", {"retry_after": "2"}),
    ("throttle", {"retry_after": "7200"}),
    ("duplicate", {}),
    ("duplicate_after", {}),
    ("hang_before", {}),
    ("hang_after", {}),
    ("html_after", {"body": "<OrderSubmitResponse><Status>Success</Status><OrderNumber>NOT-OURS</OrderNumber>"}),
    (
        "html_after",
        {"body": "<R><Status>Success</Status><OrderNumber>NOT-OURS</OrderNumber></R>", "content_type": "text/xml"},
    ),
    ("html_after", {"body": "<R><Status>Maybe</Status></R>", "content_type": "text/xml"}),
]
IDS = [f"{kind}-{'-'.join(map(str, details.values()))[:24]}" for kind, details in FAULTS]


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize(("kind", "details"), FAULTS, ids=IDS)
def test_order_is_sent_once_despite_a_fault(sqlite_world: World, kind: str, details: dict[str, Any]) -> None:
    world = sqlite_world
    numbers = world.sandbox.place_orders(count=6)
    world.poll()
    world.sandbox.fault("submit", kind, order=numbers[2], **details)

    world.submit()
    world.sandbox.release()
    world.run_until_settled(14 if details.get("retry_after") == "7200" else 4)

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert set(world.states().values()) == {"submitted"}
    world.sandbox.ship_all()
    world.run()
    assert world.sandbox.patches() == dict.fromkeys(numbers, 1)
    assert set(world.states().values()) == {"completed"}
    assert all(attempt.outcome is not AttemptOutcome.OPEN for number in numbers for attempt in world.attempts(number))


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("kind", ["reset_after", "cut_after", "garbage_after", "status", "hang_before", "duplicate"])
def test_orders_are_sent_once_despite_an_outage(world: World, kind: str) -> None:
    numbers = world.sandbox.place_orders(count=12)
    world.poll()
    world.sandbox.fault("submit", kind, times=None)

    world.submit()
    world.clock.forward(minutes=3)
    world.submit()
    world.sandbox.clear_faults()
    world.run_until_settled(10)

    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert set(world.states().values()) == {"submitted"}


@pytest.mark.usefixtures("short_timeouts")
def test_sync_command_settles_unconfirmed_orders(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "STATUS_LAG", -STATUS_LAG)
    numbers = world.sandbox.place_orders(count=5)
    world.sandbox.fault("submit", "cut_after", order=numbers[1])
    world.sandbox.fault("submit", "reset_before", order=numbers[3])

    result = world.cli("sync", "all")

    assert result.exit_code == 0, result.output
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert "5 orders sent" in result.output


@pytest.mark.usefixtures("short_timeouts")
def test_refused_connection_leaves_orders_ready(world: World) -> None:
    numbers = world.sandbox.place_orders(count=4)
    world.poll()
    reachable = world.settings
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world.settings = replace(reachable, fcp_api_url=f"http://127.0.0.1:{free.getsockname()[1]}/xml")
        submission = world.submit()
    assert "the connection failed" in submission.problem
    assert set(world.states().values()) == {"ready"}
    assert world.attempts(numbers[0])[0].outcome is AttemptOutcome.NOT_SENT
    assert world.attempts(numbers[1]) == []

    world.settings = reachable
    world.clock.forward(seconds=31)
    world.probe()
    world.submit()

    assert world.sandbox.posted() == dict.fromkeys(numbers, 1)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("first", ["cut_after", "reset_before"])
def test_without_a_status_call_sending_again_settles_an_order(world: World, first: str) -> None:
    number, other = world.sandbox.place_orders(count=2)
    world.poll()
    world.sandbox.fault("status", "not_found", times=None)
    world.sandbox.fault("submit", first, order=number)

    world.submit()
    world.clock.forward(minutes=2)
    world.submit()

    assert world.sandbox.accepted() == {number: 1, other: 1}
    assert world.states() == {number: "submitted", other: "submitted"}


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("kind", ["status", "html", "garbage", "reset_before", "hang", "throttle", "truncate", "empty"])
def test_failed_status_call_proves_nothing(sqlite_world: World, kind: str) -> None:
    world = sqlite_world
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "cut_after")
    world.sandbox.fault("status", kind, times=4)

    for _ in range(4):
        world.probe()
        world.submit()
        assert world.states()[number] in {"unconfirmed", "submitted"}
        world.clock.forward(minutes=2)
    world.sandbox.clear_faults()
    world.run_until_settled()

    assert world.sandbox.posted() == {number: 1}
    assert world.states() == {number: "submitted"}


def test_order_unknown_to_the_warehouse_is_not_resent_too_early(world: World) -> None:
    """An order that was just sent may still be on its way into the warehouse's system."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before")

    world.submit()
    world.clock.forward(seconds=20)
    world.submit()
    assert world.sandbox.posted() == {}
    assert world.states() == {number: "unconfirmed"}
    assert "won't send it twice" in world.cli("orders", "show", number).output

    world.clock.forward(seconds=20)
    world.submit()
    world.clock.forward(minutes=2)
    world.submit()
    assert world.sandbox.posted() == {number: 1}


def test_slow_answer_is_as_old_as_its_question(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warehouse was asked right after sending, so its "not found" doesn't count, however late it arrives."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before")
    real = Fcp.statuses

    def slow(fcp: Fcp, numbers: Sequence[str]) -> dict[str, OrderStatus]:
        found = real(fcp, numbers)
        world.clock.forward(seconds=40)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Fcp, "statuses", slow)
        world.submit()
    assert world.states() == {number: "unconfirmed"}

    world.submit()
    assert world.sandbox.posted() == {number: 1}
    assert world.states() == {number: "submitted"}


def test_order_of_a_dead_worker_is_settled_instead_of_sent_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "latency", seconds=0)
    world.submit()
    with world.session() as session:  # Simulate a process that died between the answer and its commit.
        from sqlalchemy import update  # noqa: PLC0415 - only used here

        from portal.models import Attempt, Order, OrderState  # noqa: PLC0415 - only used here

        session.execute(update(Order).values(state=OrderState.SUBMITTING, claim="a dead worker", fcp_order_id=""))
        session.execute(update(Attempt).values(outcome=AttemptOutcome.OPEN, finished_at=None))
        session.commit()

    world.submit()

    assert world.sandbox.posted() == {number: 1}
    assert world.states() == {number: "submitted"}
    submitted, *rest = world.attempts(number)
    assert submitted.outcome is AttemptOutcome.INTERRUPTED
    assert [attempt.kind for attempt in rest] == [AttemptKind.STATUS]


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize(
    "kind", ["reset_before", "reset_after", "cut_after", "status", "status_after", "html_after", "empty_after", "hang"]
)
def test_order_is_marked_shipped_once_despite_a_fault(sqlite_world: World, kind: str) -> None:
    world = sqlite_world
    numbers = world.sandbox.place_orders(count=3)
    world.run()
    world.sandbox.ship_all()
    world.sandbox.fault("patch", kind, order=numbers[0])

    world.track()
    world.sandbox.release()
    for _ in range(3):
        world.clock.forward(minutes=10)
        world.track()

    assert world.sandbox.patches() == dict.fromkeys(numbers, 1)
    assert set(world.states().values()) == {"completed"}


def test_big_cartels_retry_after_delays_marking_orders_shipped(world: World) -> None:
    numbers = world.sandbox.place_orders(count=12)
    world.run()
    world.sandbox.ship_all()
    world.sandbox.fault("patch", "throttle", times=None, retry_after="1800")
    world.track()
    world.sandbox.clear_faults()
    world.sandbox.clear_calls()

    for _ in range(5):
        world.clock.forward(minutes=5)
        world.track()
    assert world.sandbox.patches() == {}

    world.clock.forward(minutes=10)
    world.track()
    assert world.sandbox.patches() == dict.fromkeys(numbers, 1)


def test_shipped_order_that_big_cartel_no_longer_has_is_closed(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.sandbox.cancel_order(number, gone=True)

    world.track()
    world.track()

    assert world.states() == {number: "closed"}
    assert "no longer in Big Cartel" in world.cli("orders", "show", number).output
