"""kill -9 at every step: afterwards the clock alone brings every order to the warehouse and back, once."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from portal.models import Merchant, Order, Product, Store
from tests.jobs.driver import STEPS, Plan

if TYPE_CHECKING:
    from tests.fulfillment.world import World
    from tests.jobs.site import Site

ORDERS = {"poll": 60, "submit": 20}
"""More than a page, more than are out at once."""


def _dies_at(dies_at: str, portal: Site) -> None:
    sandbox = portal.world.sandbox
    kind = dies_at.partition(":")[0]
    numbers = sandbox.place_orders(count=ORDERS.get(kind, 5))
    if kind == "settle":
        sandbox.fault("submit", "hang", order=numbers[1])
        first = portal.start_worker()
        portal.until(lambda: sandbox.waiting("fcp"), "a request is out")
        first.kill()
        sandbox.clear_faults()
    doomed = portal.start_worker(Plan(dies_at=dies_at, skip=1 if kind == "submit" else 0))
    if kind == "mark":
        portal.until_in_state(numbers, "submitted")
        sandbox.ship_all()
    portal.until(lambda: not doomed.alive, f"the worker dies: {dies_at}")
    assert doomed.wait_until_dead() == -signal.SIGKILL

    portal.start_worker()
    portal.bring_to_an_end(numbers)


@pytest.mark.parametrize("dies_at", STEPS)
def test_a_worker_dies_at(dies_at: str, small_portal: Site) -> None:
    _dies_at(dies_at, small_portal)


@pytest.mark.parametrize("dies_at", ["submit: answer there, not recorded", "mark: answer there, not recorded"])
def test_a_worker_dies_on_postgresql_at(dies_at: str, postgres_portal: Site) -> None:
    _dies_at(dies_at, postgres_portal)


@pytest.mark.parametrize(
    ("call", "takes_effect"),
    [
        ("orders", True),
        ("product", True),
        ("products", True),
        ("submit", True),
        ("submit", False),
        ("status", True),
        ("order", True),
        ("patch", True),
        ("patch", False),
    ],
)
def test_a_worker_is_killed_while_a_request_is_out(call: str, takes_effect: bool, small_portal: Site) -> None:
    _killed_while_out(call, takes_effect, small_portal)


@pytest.mark.parametrize("call", ["submit", "patch"])
def test_a_worker_is_killed_on_postgresql_while_a_request_is_out(call: str, postgres_portal: Site) -> None:
    _killed_while_out(call, True, postgres_portal)


def _killed_while_out(call: str, takes_effect: bool, portal: Site) -> None:
    sandbox = portal.world.sandbox
    numbers = sandbox.place_orders(count=5)
    if call == "order":  # it is looked at when a PATCH is in doubt
        sandbox.fault("patch", "cut_after", order=numbers[0])
    sandbox.fault(call, "hang", takes_effect=takes_effect)
    doomed = portal.start_worker()
    if call in {"order", "patch"}:
        portal.until_in_state(numbers, "submitted")
        sandbox.ship_all()
    portal.until(sandbox.waiting, "the request is out")
    _assert_nobody_is_kept_waiting(portal.world)
    doomed.kill()
    sandbox.clear_faults()

    portal.start_worker()
    portal.bring_to_an_end(numbers)


def _assert_nobody_is_kept_waiting(world: World) -> None:
    """No transaction stays open while a request is out: on SQLite nobody else could write until the answer is there."""
    started = time.monotonic()
    with world.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET lock_timeout = '5s'"))
        for table in (Merchant, Store, Product, Order):
            connection.execute(update(table).values(id=table.id))
        connection.rollback()
    assert time.monotonic() - started < 5
