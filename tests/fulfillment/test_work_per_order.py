"""How many statements an order takes from the store to the warehouse: most are shared by a group of orders."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, event, func, select

from portal.engine import fan_out
from portal.fulfillment.submit import drain
from portal.models import Attempt, AttemptKind, Order, OrderState
from portal.reports.overview import open_orders
from portal.rules.hold_reasons import HoldReason
from tests.fulfillment.world import ACCOUNT, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.fulfillment.world import World

CALLS = 8
"""Calls at once; a drain has up to twice as many orders under way."""


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """Collect the statements that the block runs."""
    ran: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        ran.append(statement)

    event.listen(world.engine, "before_cursor_execute", record)
    try:
        yield ran
    finally:
        event.remove(world.engine, "before_cursor_execute", record)


def _beginning(ran: list[str], words: str) -> list[str]:
    return [statement for statement in ran if " ".join(statement.split()).startswith(words)]


def test_new_orders_are_inserted_with_one_statement(world: World) -> None:
    world.sandbox.place_orders(count=60, abroad=True)

    with statements(world) as ran:
        world.poll()

    assert len(_beginning(ran, "INSERT INTO orders ")) == 1
    assert list(world.states().values()) == ["ready"] * 60


def test_what_a_new_order_holds_is_what_big_cartel_sent(world: World) -> None:
    before = world.clock()
    number = world.sandbox.place_order(address_1="Straße 1 “\\n” \\u0041 \U0001f381", first_name="Zoë")
    world.poll()

    order = world.order(number)
    assert '"shipping_address_1":"Straße 1 “\\\\n” \\\\u0041 \U0001f381"' in order.document
    assert before < order.first_seen_at == order.assessed_at == order.state_changed_at < world.clock()
    assert (order.failures, order.closed_because, order.tracking_numbers) == (0, None, [])


def test_a_group_of_orders_is_claimed_with_one_update_and_one_insert(world: World) -> None:
    world.settings = replace(world.settings, fcp_concurrency=CALLS)
    numbers = world.sandbox.place_orders(count=1 + 4 * CALLS)
    world.poll()

    with statements(world) as ran:
        world.submit()

    # One order goes first, then as many as may be under way; each of the others may come alone.
    assert len(_beginning(ran, "INSERT INTO attempts ")) <= 1 + 1 + 2 * CALLS
    with world.session() as session:
        attempts = session.execute(select(Order.number, Attempt.answer).join(Attempt, Attempt.order_id == Order.id))
        answers = {row.number: row.answer for row in attempts}
    assert sorted(answers) == sorted(numbers)
    assert all(f"<OrderNumber>{number}</OrderNumber>" in answer for number, answer in answers.items())


def test_rules_are_read_once_unless_they_change(world: World) -> None:
    world.settings = replace(world.settings, fcp_concurrency=CALLS)
    numbers = world.sandbox.place_orders(count=120)
    world.poll()

    with statements(world) as ran:
        world.submit()

    assert len([one for one in _beginning(ran, "SELECT ") if "marked_rates" in one]) == 1
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)


def test_assessment_far_into_a_run_has_a_time_of_its_own(
    world: World, during_submission: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders on hold are counted by it: one that is committed long after its time would be left out."""
    monkeypatch.setattr(drain, "MOST_TOGETHER", 4)
    world.settings = replace(world.settings, fcp_concurrency=1)
    world.sandbox.place_orders(count=120)
    world.poll()
    sent = during_submission(40, lambda: world.clock.forward(minutes=2))
    began = world.clock()

    world.submit()

    first, last = (world.order(number).assessed_at for number in (sent[0], sent[-1]))
    assert first is not None
    assert last is not None
    assert first < began + timedelta(minutes=1)
    assert last > began + timedelta(minutes=2)


def test_rules_that_change_far_into_a_run_count_from_then_on(
    world: World, during_submission: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all that aren't claimed yet."""
    monkeypatch.setattr(drain, "MOST_TOGETHER", 4)
    world.settings = replace(world.settings, fcp_concurrency=1)
    world.sandbox.place_orders(count=80)
    world.poll()
    sent = during_submission(53, lambda: world.change_merchant(domestic_service="UPSGR", international_service="UPSGR"))

    world.submit()

    received = world.sandbox.received()
    services = [received[number]["shipping_method"] for number in sent]
    assert len(sent) == 80
    assert set(services[53 + 2 * 4 :]) == {"UPSGR"}
    assert "UPSGR" not in services[:53]
    assert set(world.states().values()) == {OrderState.SUBMITTED}


def test_claim_stores_an_assessment_only_if_it_changed(world: World) -> None:
    world.sandbox.put_product("2", name="Bowl", description="A bowl.\n\nSKU:BOWL-1", account=ACCOUNT)
    mugs = [world.sandbox.place_order(items=[{"product": "1"}]) for _ in range(3)]
    bowl = world.sandbox.place_order(items=[{"product": "2"}])
    world.poll()
    with world.session() as session:
        # As if its product had had another SKU when the order was first read.
        order = session.scalars(select(Order).where(Order.number == bowl)).one()
        order.lines = [{**order.lines[0], "sku": "BOWL-OLD"}]
        session.commit()
    before = {number: world.order(number).assessed_at for number in [*mugs, bowl]}

    with statements(world) as ran:
        world.submit()

    claims = [sql for sql in _beginning(ran, "UPDATE orders SET") if "claim=" in sql and "submitted_at=" not in sql]
    assert [("lines=" in sql, "assessed_at=" in sql) for sql in claims].count((True, True)) == 1
    assert (False, True) in [("lines=" in sql, "assessed_at=" in sql) for sql in claims]
    for number, sku in [*((mug, "MUG-01") for mug in mugs), (bowl, "BOWL-1")]:
        order = world.order(number)
        assert [line["sku"] for line in order.lines] == [sku]
        assert order.assessed_at != before[number]
        assert [item["sku"] for item in world.sandbox.received()[number]["items"]] == [sku]


def test_hold_reasons_of_a_new_order_are_stored_as_an_update_stores_them(world: World) -> None:
    """Pages find them in that text. An order whose product and rules didn't change is stored once, by an insert."""
    for _ in range(2):
        world.sandbox.place_order(items=[{"product": "1"}], payment_status="unpaid", address_1="Straße 1")
        world.poll()
        world.clock.forward(minutes=20)
        world.poll()
    world.sandbox.place_order(items=[{"product": "1"}], payment_status="unpaid")
    world.poll()

    with world.session() as session:
        assert open_orders(session, MERCHANT).holds[HoldReason.PAYMENT_NOT_COMPLETED] == 3
        columns = [cast(column, Text) for column in (Order.holds, Order.lines, Order.tracking_numbers)]
        texts = session.execute(select(*columns)).all()
    for text in (text for row in texts for text in row):
        assert text == json.dumps(json.loads(text))


def test_more_orders_are_claimed_together_while_answers_come_quickly(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if every answer came quickly, however busy the machine is.
    monkeypatch.setattr(fan_out, "LINGER", 10.0)
    world.settings = replace(world.settings, fcp_concurrency=1)
    numbers = world.sandbox.place_orders(count=30)
    world.poll()
    world.submit()

    with world.session() as session:
        claims = select(func.count()).where(Attempt.kind == AttemptKind.SUBMIT).group_by(Attempt.started_at)
        assert max(session.scalars(claims)) >= 8
    assert world.sandbox.accepted() == dict.fromkeys(numbers, 1)
