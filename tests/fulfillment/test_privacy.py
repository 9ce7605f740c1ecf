"""Neither buyers' data nor tokens get where they do not belong, and buyers' data go when an order is long done."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from portal.fulfillment.purge import purge
from portal.logs import JsonFormatter, TextFormatter
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
TOKENS = ["merchant-token-of-the-tests", "shop-token-of-the-tests"]


def _said(caplog: pytest.LogCaptureFixture) -> str:
    formatters = (TextFormatter(), JsonFormatter())
    return "\n".join(formatter.format(record) for record in caplog.records for formatter in formatters)


def _stored(world: World) -> str:
    with world.session() as session:
        rows = [
            row
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f"SELECT * FROM {table.name}")).all()  # noqa: S608 - names of our own
        ]
    return json.dumps([[str(value) for value in row] for row in rows], ensure_ascii=False)


@pytest.mark.usefixtures("impatient")
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

    said = _said(caplog)
    assert "submit.stopped" in said
    for word in (*PRIVATE, *TOKENS):
        assert word not in said
    stored = _stored(world)
    assert "MerchantToken" in stored
    for token in TOKENS:
        assert token not in stored


def test_a_failing_database_does_not_spill_its_parameters(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.sandbox.place_order(**BUYER)
    with world.session() as session:
        session.execute(text("ALTER TABLE orders RENAME COLUMN carrier TO courier"))
        session.commit()

    result = world.cli("sync", "poll")

    assert result.exit_code == 1
    for word in PRIVATE:
        assert word not in _said(caplog)
        assert word not in result.output


def test_buyers_data_are_purged_when_an_order_is_long_done(world: World) -> None:
    done, refused, gone = world.sandbox.place_orders([BUYER] * 3)
    odd = world.sandbox.place_order(**{**BUYER, "last_name": "Quill\x01feather"})
    world.sandbox.fault("submit", "refuse", order=refused, words=f"Invalid address: {BUYER['address_1']}")
    world.run()
    world.cli("orders", "close", refused, "--reason", "made by hand")
    world.sandbox.ship_all()
    world.run()
    world.sandbox.ship_at_bigcartel(gone)
    waiting = world.sandbox.place_order(**BUYER)
    world.sandbox.fault("submit", "throttle", times=None)
    world.clock.forward(minutes=1)
    world.run()
    assert world.states() | {refused: "closed"} == world.states()
    assert world.states()[waiting] == "ready"

    with world.session() as session:
        assert purge(session, days=90, now=world.clock()) == 0
        world.clock.forward(days=91)
        assert purge(session, days=90, now=world.clock()) == 4
        assert purge(session, days=90, now=world.clock()) == 0

    stored = _stored(world)
    assert stored.count(BUYER["address_1"]) == 2  # what Big Cartel sent and what was offered to the warehouse
    world.cli("orders", "close", waiting, "--reason", "old")
    world.clock.forward(days=91)
    with world.session() as session:
        purge(session, days=90, now=world.clock())
    stored = _stored(world)
    for word in PRIVATE:
        assert word not in stored
    for number in (done, refused, gone, odd):
        shown = world.cli("orders", "show", number)
        assert shown.exit_code == 0, shown.output
        assert "MUG-01" in shown.output
    assert world.cli("orders", "retry", refused).exit_code == 1


def test_a_purged_order_stays_done_whatever_the_shop_says(world: World) -> None:
    number = world.sandbox.place_order(**BUYER)
    world.run()
    world.sandbox.ship_all()
    world.run()
    world.clock.forward(days=91)
    with world.session() as session:
        purge(session, days=90, now=world.clock())
    world.sandbox.edit_order(number, shipping_status="unshipped", customer_note="again")

    world.sweep()
    world.run()

    assert world.states() == {number: "completed"}
    assert world.sandbox.posted() == {number: 1}
    assert BUYER["address_1"] not in _stored(world)
