"""Buyers' data and tokens stay out of the logs, and buyers' data is deleted once orders are old."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from portal.fulfillment.purge import purge
from portal.logs.setup import JsonFormatter, TextFormatter
from portal.models import Base

if TYPE_CHECKING:
    from tests.fulfillment.world import World

BUYER: dict[str, Any] = {
    "first_name": "Xanthippe",
    "last_name": "Quillfeather",
    "email": "xanthippe@quill.example",
    "phone": "+1 555 867 5309",
    "address_1": "77 Zephyrwhistle Lane",
    "address_2": "Loft Vermilion",
    "city": "Brambleford",
    "zip": "60699",
    "note": "Leave it with Peregrine",
}
PRIVATE = [value for name, value in BUYER.items() if name != "note"] + ["Peregrine"]
TOKENS = ["merchant-token-of-the-tests", "store-token-of-the-tests"]


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    formatters = (TextFormatter(), JsonFormatter())
    return "\n".join(formatter.format(record) for record in caplog.records for formatter in formatters)


def _stored(world: World) -> str:
    with world.session() as session:
        rows = [
            row
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f"SELECT * FROM {table.name}")).all()  # noqa: S608 - the names come from our models
        ]
    return json.dumps([[str(value) for value in row] for row in rows], ensure_ascii=False)


@pytest.mark.usefixtures("short_timeouts")
def test_nothing_private_is_logged_and_no_token_is_stored(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    numbers = world.sandbox.place_orders([BUYER] * 8)
    world.sandbox.place_order(**{**BUYER, "zip": ""})
    for order, kind in zip(
        numbers,
        ("cut_after", "reset_before", "html_after", "status", "refuse", "duplicate", "throttle", "entity_bomb"),
        strict=True,
    ):
        more: dict[str, Any] = {"words": f"Invalid City: {BUYER['city']}"} if kind == "refuse" else {}
        world.sandbox.fault("submit", kind, order=order, **more)
    world.sandbox.fault("patch", "status", times=2)
    world.sandbox.fault("orders", "html", skip=1)
    for _ in range(8):
        world.run()
        world.sandbox.ship_all()
        world.clock.forward(minutes=15)
    world.sandbox.put_account("1000001", tokens=[])
    world.sandbox.put_merchant("816", name="Example Shop", token="other")
    world.sandbox.edit_order(numbers[0], shipping_status="unshipped")
    world.run()

    logged = _logged(caplog)
    assert "submit.stopped" in logged
    for word in (*PRIVATE, *TOKENS):
        assert word not in logged
    stored = _stored(world)
    assert "MerchantToken" in stored
    for token in TOKENS:
        assert token not in stored


def test_database_error_does_not_reveal_its_parameters(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.sandbox.place_order(**BUYER)
    with world.session() as session:
        session.execute(text("ALTER TABLE orders RENAME COLUMN carrier TO courier"))
        session.commit()

    result = world.cli("sync", "poll")

    assert result.exit_code == 1
    for word in PRIVATE:
        assert word not in _logged(caplog)
        assert word not in result.output


def test_buyers_data_is_purged_once_an_order_is_old_enough(world: World) -> None:
    done, rejected, gone = world.sandbox.place_orders([BUYER] * 3)
    odd = world.sandbox.place_order(**{**BUYER, "last_name": "Quill\x01feather"})
    world.sandbox.fault("submit", "refuse", order=rejected, words=f"Invalid address: {BUYER['address_1']}")
    world.run()
    world.cli("orders", "close", rejected, "--reason", "shipped from home")
    world.sandbox.ship_all()
    world.run()
    world.sandbox.ship_at_bigcartel(gone)
    waiting = world.sandbox.place_order(**BUYER)
    world.sandbox.fault("submit", "throttle", times=None)
    world.clock.forward(minutes=1)
    world.run()
    assert world.states() | {rejected: "closed"} == world.states()
    assert world.states()[waiting] == "ready"

    with world.session() as session:
        assert sum(purge(session, days=90, now=world.clock())) == 0
        world.clock.forward(days=91)
        assert sum(purge(session, days=90, now=world.clock())) == 4
        assert sum(purge(session, days=90, now=world.clock())) == 0

    stored = _stored(world)
    assert stored.count(BUYER["address_1"]) == 2  # in what Big Cartel sent and in what we sent
    world.cli("orders", "close", waiting, "--reason", "old")
    world.clock.forward(days=91)
    with world.session() as session:
        sum(purge(session, days=90, now=world.clock()))
    stored = _stored(world)
    for word in PRIVATE:
        assert word not in stored
    for number in (done, rejected, gone, odd):
        shown = world.cli("orders", "show", number)
        assert shown.exit_code == 0, shown.output
        assert "MUG-01" in shown.output
    assert world.cli("orders", "retry", rejected).exit_code == 1


def test_purged_order_stays_complete_after_later_changes_in_big_cartel(world: World) -> None:
    number = world.sandbox.place_order(**BUYER)
    world.run()
    world.sandbox.ship_all()
    world.run()
    world.clock.forward(days=91)
    with world.session() as session:
        sum(purge(session, days=90, now=world.clock()))
    world.sandbox.edit_order(number, shipping_status="unshipped", customer_note="again")

    world.sweep()
    world.run()

    assert world.states() == {number: "completed"}
    assert world.sandbox.posted() == {number: 1}
    assert BUYER["address_1"] not in _stored(world)
