"""Measure a poll when nothing has changed: its calls with open orders, and its CPU time with orders on hold.

Run it with ``python -m benchmarks.idle_poll``. Open orders are at the warehouse and still unshipped in Big Cartel. The
hourly sweep of the whole list doesn't count as an idle poll. The exit status is 1 if a poll made more than one call, or
if it took more than 1.5 times the CPU time with the most orders on hold as with none.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from benchmarks.fixtures import MERCHANT, connect, database, fill, session_on, settings_for
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import RunContext
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Order, OrderState, StoredHold, StoredLine
from portal.rules.hold_reasons import HoldReason
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from sandbox.client import Sandbox

OPEN_ORDERS = (0, 2_000)
POLLS = 5
ORDERS_ON_HOLD = (0, 5_000, 20_000)
TIMED_POLLS = 41
MAX_RATIO = 1.5


def main() -> int:
    with running_sandbox() as sandbox:
        most = max(calls_when_idle(sandbox, orders) for orders in OPEN_ORDERS)
        milliseconds = [cpu_when_idle(sandbox, orders) for orders in ORDERS_ON_HOLD]
    ratio = milliseconds[-1] / milliseconds[0]
    print(f"{ORDERS_ON_HOLD[-1]:,} orders on hold cost {ratio:.2f} times the CPU of none; {MAX_RATIO} is the limit")
    return int(most > 1 or ratio > MAX_RATIO)


def calls_when_idle(sandbox: Sandbox, orders: int) -> int:
    """Print the calls and the time of some idle polls with this many open orders. Return the most calls of one."""
    most = 0
    fill(sandbox, orders)
    with database(None) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, concurrency=8)
        store_id = connect(session, settings)
        poll_store(session, store_id, settings)
        submit_merchant(session, MERCHANT, settings)
        for _ in range(POLLS):
            sandbox.clear_calls()
            began = time.perf_counter()
            poll_store(session, store_id, settings)
            seconds = time.perf_counter() - began
            calls = sum(sandbox.calls().values())
            most = max(most, calls)
            print(f"{orders:>6,} open orders: {calls} call{'s' * (calls != 1)}, {seconds * 1000:.0f} ms")
    return most


def cpu_when_idle(sandbox: Sandbox, orders: int) -> float:
    """Print the least CPU time of some idle polls with this many orders on hold, and return it in milliseconds.

    Other work on the machine only adds to it. The orders are unpaid, and were placed and synced two hours ago.
    """
    fill(sandbox, 1)
    times = []
    with database(None) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, concurrency=8)
        store_id = connect(session, settings)
        poll_store(session, store_id, settings)
        hold(session, store_id, orders)
        # The second poll assesses them all, because the rules changed when the store went live.
        later = RunContext(clock=lambda: datetime.now(UTC) + timedelta(minutes=3))
        for context in (later, replace(later, clock=lambda: datetime.now(UTC) + timedelta(minutes=6))):
            poll_store(session, store_id, settings, context)
        for _ in range(TIMED_POLLS):
            began = time.process_time()
            poll_store(session, store_id, settings, context)
            times.append((time.process_time() - began) * 1000)
    print(f"{orders:>6,} orders on hold: {min(times):.1f} ms CPU")
    return min(times)


def hold(session: Session, store_id: int, orders: int) -> None:
    """Store copies of the store's order that are held because they aren't paid."""
    order = session.query(Order).one()
    before = datetime.now(UTC) - timedelta(hours=2)
    line: StoredLine = {**order.lines[0], "sku": ""}
    values = {
        "merchant_id": MERCHANT,
        "store_id": store_id,
        "state": OrderState.HELD,
        "state_changed_at": before,
        "first_seen_at": before,
        "assessed_at": before,
        "placed_at": before,
        "document": order.document.replace('"completed"', '"unpaid"'),
        "holds": [StoredHold(reason=HoldReason.PAYMENT_NOT_COMPLETED.value, detail="")],
        "lines": [line],
    }
    if orders:
        session.execute(insert(Order), [{**values, "number": f"HELD-{number}"} for number in range(orders)])
    session.commit()


if __name__ == "__main__":
    sys.exit(main())
