"""Measure a poll when nothing has changed: its calls with open orders, its CPU time with orders on hold, and its SQL.

Run it with ``python -m benchmarks.idle_poll``. Open orders are at the warehouse and still unshipped in Big Cartel. The
hourly sweep of the whole list doesn't count as an idle poll. The SQL is that of a job of 20 stores, with each store
polled on its own and with the idle ones recorded together. The exit status is 1 if a poll made more than one call, if
it took more than 1.5 times the CPU time with the most orders on hold as with none, or if an idle poll of the job took
more than 3 statements or one commit.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import event, insert, update

from benchmarks.fixtures import MERCHANT, connect, database, fill, session_on, settings_for
from portal.fulfillment.poll.claims import claimed, finish_none
from portal.fulfillment.poll.idle import record_idle
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Order, OrderState, Store, StoredHold, StoredLine
from portal.queue import STORES_PER_POLL
from portal.rules.hold_reasons import HoldReason
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from sandbox.client import Sandbox

OPEN_ORDERS = (0, 2_000)
POLLS = 5
ORDERS_ON_HOLD = (0, 5_000, 20_000)
TIMED_POLLS = 41
MAX_RATIO = 1.5
MAX_STATEMENTS, MAX_COMMITS = 3, 1


def main() -> int:
    with running_sandbox() as sandbox:
        most = max(calls_when_idle(sandbox, orders) for orders in OPEN_ORDERS)
        milliseconds = [cpu_when_idle(sandbox, orders) for orders in ORDERS_ON_HOLD]
        statements, commits = sql_when_idle(sandbox)
    ratio = milliseconds[-1] / milliseconds[0]
    print(f"{ORDERS_ON_HOLD[-1]:,} orders on hold cost {ratio:.2f} times the CPU of none; {MAX_RATIO} is the limit")
    return int(most > 1 or ratio > MAX_RATIO or statements > MAX_STATEMENTS or commits > MAX_COMMITS)


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


def sql_when_idle(sandbox: Sandbox) -> tuple[float, float]:
    """Print the statements and commits per idle poll of a full job, before and now, and return those of now.

    Before, each store was polled on its own; now the idle stores are recorded together.
    """
    fill(sandbox, 3 * STORES_PER_POLL, merchants=STORES_PER_POLL)
    with database(None) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, concurrency=8)
        ids = [connect(session, settings, nth=nth) for nth in range(STORES_PER_POLL)]
        # The second poll assesses the orders on hold, because the rules changed when the store went live.
        later = RunContext(clock=lambda: datetime.now(UTC) + timedelta(minutes=3))
        for context in (ON_SCHEDULE, later):
            for store_id in ids:
                poll_store(session, store_id, settings, context)
        together = partial(record_idle, session, settings, clock=later.clock)
        for name, finish_some in (("on its own", finish_none), ("together", together)):
            session.execute(update(Store).values(next_poll_at=later.clock()))
            session.commit()
            with counted_sql(session) as sql:
                for store_id in claimed(session, ids, later.clock, finish_some):
                    poll_store(session, store_id, settings, later)
            statements, commits = sql["statements"] / len(ids), sql["commits"] / len(ids)
            print(
                f"{len(ids)} idle stores polled {name}: {statements:.2f} statements and {commits:.2f} commits a store"
            )
    return statements, commits


@contextmanager
def counted_sql(session: Session) -> Iterator[Counter[str]]:
    """Count the statements and the commits of all connections in the block. BEGIN doesn't count as a statement."""
    sql: Counter[str] = Counter()

    def executed(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sql["statements"] += not statement.startswith("BEGIN")

    def committed(_connection: object) -> None:
        sql["commits"] += 1

    engine = session.get_bind()
    listeners = (("before_cursor_execute", executed), ("commit", committed))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield sql
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)


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
