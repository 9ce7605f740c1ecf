"""Measure a poll when nothing has changed: its calls with open orders, its CPU time with orders on hold, and its SQL.

Run it with ``python -m benchmarks.idle_poll``. Open orders are at the warehouse and still unshipped in Big Cartel. The
hourly sweep of the whole list doesn't count as an idle poll. The SQL is that of a job of 20 stores, with each store
polled on its own and with the idle ones recorded together.
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

from sqlalchemy import event, insert, select, update

from benchmarks.fixtures import MERCHANT, connect, database, fill, session_on, settings_for
from benchmarks.results import Report, parser
from portal.fulfillment.poll.claims import claimed, finish_none
from portal.fulfillment.poll.idle import record_idle
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import ON_SCHEDULE, RunContext
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Order, OrderState, Store, StoredHold, StoredLine
from portal.queue import IDS_PER_JOB
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
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--open", type=int, nargs="+", default=OPEN_ORDERS, help="open orders of the store, in turn")
    add("--held", type=int, nargs="+", default=ORDERS_ON_HOLD, help="orders on hold of the store, in turn")
    add("--polls", type=int, default=TIMED_POLLS, help="polls of which the least CPU time counts")
    options = arguments.parse_args()
    report = Report("idle_poll", options)
    with running_sandbox() as sandbox:
        for orders in options.open:
            calls = calls_when_idle(sandbox, orders)
            report.row(stores=1, open_orders=orders, calls=calls)
            report.goal(f"calls with {orders:,} open orders", calls, at_most=1)
        floor, *others = [cpu_when_idle(sandbox, orders, options.polls) for orders in options.held]
        report.row(stores=1, orders_on_hold=options.held[0], cpu_ms=floor)
        for orders, cpu in zip(options.held[1:], others, strict=True):
            report.row(stores=1, orders_on_hold=orders, floor_ms=floor, cpu_ms=cpu, ratio=cpu / floor)
            report.goal(f"CPU with {orders:,} orders on hold beside none", cpu / floor, at_most=MAX_RATIO)
        for name, (statements, commits) in sql_when_idle(sandbox).items():
            report.row(stores=IDS_PER_JOB, recorded=name, statements=statements, commits=commits)
    report.goal("statements per idle poll", statements, at_most=MAX_STATEMENTS)
    report.goal("commits per idle poll", commits, at_most=MAX_COMMITS)
    return report.finish()


def calls_when_idle(sandbox: Sandbox, orders: int) -> int:
    """Return the most calls of some idle polls with this many open orders."""
    most = 0
    fill(sandbox, orders)
    with database(None) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, concurrency=8)
        store_id = connect(session, settings)
        poll_store(session, store_id, settings)
        submit_merchant(session, MERCHANT, settings)
        for _ in range(POLLS):
            sandbox.clear_calls()
            poll_store(session, store_id, settings)
            most = max(most, sum(sandbox.calls().values()))
    return most


def cpu_when_idle(sandbox: Sandbox, orders: int, polls: int) -> float:
    """Return the least CPU milliseconds of some idle polls with this many orders on hold.

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
        for _ in range(polls):
            began = time.process_time()
            poll_store(session, store_id, settings, context)
            times.append((time.process_time() - began) * 1000)
    return min(times)


def sql_when_idle(sandbox: Sandbox) -> dict[str, tuple[float, float]]:
    """Return the statements and commits per idle poll of a full job: each store on its own, and all together."""
    fill(sandbox, 3 * IDS_PER_JOB, merchants=IDS_PER_JOB)
    found = {}
    with database(None) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, concurrency=8)
        ids = [connect(session, settings, nth=nth) for nth in range(IDS_PER_JOB)]
        # The second poll assesses the orders on hold, because the rules changed when the store went live.
        later = RunContext(clock=lambda: datetime.now(UTC) + timedelta(minutes=3))
        for context in (ON_SCHEDULE, later):
            for store_id in ids:
                poll_store(session, store_id, settings, context)
        together = partial(record_idle, session, settings, clock=later.clock)
        for name, finish_some in (("one by one", finish_none), ("together", together)):
            session.execute(update(Store).values(next_poll_at=later.clock()))
            session.commit()
            with counted_sql(session) as sql:
                for store_id in claimed(session, ids, later.clock, finish_some):
                    poll_store(session, store_id, settings, later)
            found[name] = (sql["statements"] / len(ids), sql["commits"] / len(ids))
    return found


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
    """Store copies of one of the store's orders that are held because they aren't paid."""
    order = session.scalars(select(Order).where(Order.store_id == store_id).limit(1)).one()
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
