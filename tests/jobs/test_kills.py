"""A worker is killed at every step. Ticks alone then complete every order, each sent and marked shipped once."""

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
"""Number of orders placed: for a poll, more than one page; for a submission, more than are sent at once."""


def _kill_at_step(dies_at: str, portal: Site) -> None:
    sandbox = portal.world.sandbox
    kind = dies_at.partition(":")[0]
    numbers = sandbox.place_orders(count=ORDERS.get(kind, 5))
    if kind == "settle":
        sandbox.fault("submit", "hang", order=numbers[1])
        first = portal.start_worker()
        portal.until(lambda: sandbox.waiting("fcp"), "a request is in flight")
        first.kill()
        sandbox.clear_faults()
    doomed = portal.start_worker(Plan(dies_at=dies_at, skip=1 if kind == "submit" else 0))
    if kind == "mark":
        portal.until_in_state(numbers, "submitted")
        sandbox.ship_all()
    portal.until(lambda: not doomed.alive, f"the worker dies: {dies_at}")
    assert doomed.wait_until_dead() == -signal.SIGKILL

    portal.start_worker()
    portal.run_to_completion(numbers)


@pytest.mark.parametrize("dies_at", STEPS)
def test_orders_complete_after_a_worker_dies_at_any_step(dies_at: str, small_portal: Site) -> None:
    _kill_at_step(dies_at, small_portal)


@pytest.mark.parametrize("dies_at", ["submit: answer received, not recorded", "mark: answer received, not recorded"])
def test_orders_complete_on_postgresql_after_a_worker_dies_before_recording_an_answer(
    dies_at: str, postgres_portal: Site
) -> None:
    _kill_at_step(dies_at, postgres_portal)


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
def test_orders_complete_after_a_worker_is_killed_during_a_call(
    call: str, takes_effect: bool, small_portal: Site
) -> None:
    _kill_in_mid_call(call, takes_effect, small_portal)


@pytest.mark.parametrize("call", ["submit", "patch"])
def test_orders_complete_on_postgresql_after_a_worker_is_killed_during_a_call(call: str, postgres_portal: Site) -> None:
    _kill_in_mid_call(call, True, postgres_portal)


def _kill_in_mid_call(call: str, takes_effect: bool, portal: Site) -> None:
    sandbox = portal.world.sandbox
    numbers = sandbox.place_orders(count=5)
    if call == "order":  # it is read when the outcome of a PATCH is unknown
        sandbox.fault("patch", "cut_after", order=numbers[0])
    sandbox.fault(call, "hang", takes_effect=takes_effect)
    doomed = portal.start_worker()
    if call in {"order", "patch"}:
        portal.until_in_state(numbers, "submitted")
        sandbox.ship_all()
    portal.until(sandbox.waiting, "the request is in flight")
    _assert_no_transaction_is_open(portal.world)
    doomed.kill()
    sandbox.clear_faults()

    portal.start_worker()
    portal.run_to_completion(numbers)


def _assert_no_transaction_is_open(world: World) -> None:
    """Check that others can write during a call: on SQLite an open transaction would block them until the answer."""
    started = time.monotonic()
    with world.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET lock_timeout = '5s'"))
        for table in (Merchant, Store, Product, Order):
            connection.execute(update(table).values(id=table.id))
        connection.rollback()
    assert time.monotonic() - started < 5
