"""Whatever the warehouse's system does to a submission: afterwards it has the order once, and nothing is lost."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from portal.fulfillment.submit import settle
from portal.models import AttemptKind, AttemptOutcome

if TYPE_CHECKING:
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("kind", "details"), FAULTS, ids=IDS)
def test_a_fault_during_submission(small_world: World, kind: str, details: dict[str, Any]) -> None:
    world = small_world
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["reset_after", "cut_after", "garbage_after", "status", "hang_before", "duplicate"])
def test_a_fault_for_every_order_for_a_while(world: World, kind: str) -> None:
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


@pytest.mark.usefixtures("impatient")
def test_one_command_clears_up_what_was_in_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "STATUS_LAG", -settle.STATUS_LAG)
    numbers = world.sandbox.place_orders(count=5)
    world.sandbox.fault("submit", "cut_after", order=numbers[1])
    world.sandbox.fault("submit", "reset_before", order=numbers[3])

    result = world.cli("sync", "all")

    assert result.exit_code == 0, result.output
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
    assert "5 orders sent" in result.output


@pytest.mark.usefixtures("impatient")
def test_nobody_listens_at_the_warehouse(world: World) -> None:
    numbers = world.sandbox.place_orders(count=4)
    world.poll()
    at_home = world.settings
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world.settings = replace(at_home, fcp_api_url=f"http://127.0.0.1:{free.getsockname()[1]}/xml")
        round_ = world.submit()
    assert "the connection failed" in round_.problem
    assert set(world.states().values()) == {"ready"}
    assert world.attempts(numbers[0])[0].outcome is AttemptOutcome.NOT_SENT
    assert world.attempts(numbers[1]) == []

    world.settings = at_home
    world.clock.forward(minutes=2)
    world.submit()

    assert world.sandbox.posted() == dict.fromkeys(numbers, 1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("first", ["cut_after", "reset_before"])
def test_without_a_status_call_an_order_is_settled_by_its_number(world: World, first: str) -> None:
    number, other = world.sandbox.place_orders(count=2)
    world.poll()
    world.sandbox.fault("status", "not_found", times=None)
    world.sandbox.fault("submit", first, order=number)

    world.submit()
    world.clock.forward(minutes=2)
    world.submit()

    assert world.sandbox.accepted() == {number: 1, other: 1}
    assert world.states() == {number: "submitted", other: "submitted"}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["status", "html", "garbage", "reset_before", "hang", "throttle", "truncate", "empty"])
def test_a_status_call_that_fails_proves_nothing(small_world: World, kind: str) -> None:
    world = small_world
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "cut_after")
    world.sandbox.fault("status", kind, times=4)

    for _ in range(4):
        world.submit()
        assert world.states()[number] in {"unconfirmed", "submitted"}
        world.clock.forward(minutes=2)
    world.sandbox.clear_faults()
    world.run_until_settled()

    assert world.sandbox.posted() == {number: 1}
    assert world.states() == {number: "submitted"}


def test_the_warehouses_no_is_not_believed_too_early(world: World) -> None:
    """An order that just left may still be on its way into the warehouse's system."""
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "reset_before")

    world.submit()
    world.clock.forward(seconds=20)
    world.submit()
    assert world.sandbox.posted() == {}
    assert world.states() == {number: "unconfirmed"}
    assert "it will not be sent twice" in world.cli("orders", "show", number).output

    world.clock.forward(seconds=20)
    world.submit()
    world.clock.forward(minutes=2)
    world.submit()
    assert world.sandbox.posted() == {number: 1}


def test_a_dead_workers_order_is_settled_not_sent_again(world: World) -> None:
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.fault("submit", "latency", seconds=0)
    world.submit()
    with world.session() as session:  # as if the process had died between the answer and its commit
        from sqlalchemy import update  # noqa: PLC0415 - used here alone

        from portal.models import Attempt, Order, OrderState  # noqa: PLC0415 - as above

        session.execute(update(Order).values(state=OrderState.SUBMITTING, claim="a dead worker", fcp_order_id=""))
        session.execute(update(Attempt).values(outcome=AttemptOutcome.OPEN, finished_at=None))
        session.commit()

    world.submit()

    assert world.sandbox.posted() == {number: 1}
    assert world.states() == {number: "submitted"}
    submitted, *rest = world.attempts(number)
    assert submitted.outcome is AttemptOutcome.INTERRUPTED
    assert [attempt.kind for attempt in rest] == [AttemptKind.STATUS]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "kind", ["reset_before", "reset_after", "cut_after", "status", "status_after", "html_after", "empty_after", "hang"]
)
def test_a_fault_while_big_cartel_is_told(small_world: World, kind: str) -> None:
    world = small_world
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


def test_big_cartel_asks_to_wait_while_it_is_told(world: World) -> None:
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


def test_big_cartel_has_no_such_order_any_more(world: World) -> None:
    number = world.sandbox.place_order()
    world.run()
    world.sandbox.ship_all()
    world.sandbox.cancel_order(number, gone=True)

    world.track()
    world.track()

    assert world.states() == {number: "closed"}
    assert "Big Cartel has no such order any more" in world.cli("orders", "show", number).output
