"""Measure idle polls through a real worker: its CPU and its forks' per store, beside a bare GET of the same page.

Run it with ``python -m benchmarks.idle_worker``. Redis, the database, and the worker are real; a job is for 20 stores.
The bare GET is a ``requests`` session's on a kept connection, in this process, in turn with the worker. The sandbox and
PostgreSQL have processes of their own, whose CPU doesn't count. In the rows with orders, one store of the 20 that a job
polls has that many open orders and as many on hold.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import requests
from sqlalchemy import func, select, update

from benchmarks.certificates import self_signed
from benchmarks.fixtures import STORE_TOKEN, place
from benchmarks.idle_poll import hold
from benchmarks.processes import cpu_seconds
from benchmarks.results import Report, parser
from benchmarks.running_portal import running_portal
from embedded import postgres
from portal.fulfillment.poll.products_to_fix import COMMITTED_WITHIN
from portal.models import Store
from portal.queue import IDS_PER_JOB, Call, JobName, wake
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from benchmarks.running_portal import RunningPortal

MAX_RATIO, MAX_GROWTH = 3.0, 1.2
LEAST_PER_SECOND = 100
"""Stores per second and core, on a machine where the bare GET makes 300 a second; otherwise in proportion."""
GETS_PER_SECOND = 300
HEADERS = {"Accept": "application/vnd.api+json", "Authorization": f"Bearer {STORE_TOKEN}", "User-Agent": "Benchmark"}


class Case(NamedTuple):
    scheme: str
    database: str
    orders: int

    def __str__(self) -> str:
        return f"{self.scheme}, {self.database}, {self.orders:,} orders"


class Cost(NamedTuple):
    """Milliseconds of CPU per store, of the worker and of a bare GET."""

    worker: float
    floor: float


def main() -> int:
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--stores", type=int, default=3 * IDS_PER_JOB, help="stores, each with a merchant of its own")
    add("--orders", type=int, default=5_000, help="open orders of one store in 20, and as many on hold")
    add("--rounds", type=int, default=9, help="polls of each store, of which the median counts")
    options = arguments.parse_args()
    report = Report("idle_worker", options)
    with ExitStack() as stack:
        pem = self_signed(Path(stack.enter_context(TemporaryDirectory())), "127.0.0.1")
        server = stack.enter_context(postgres.start())
        for scheme, database in (("http", "SQLite"), ("http", "PostgreSQL"), ("https", "SQLite")):
            certificate = pem if scheme == "https" else None
            where = server if database == "PostgreSQL" else None
            with (
                running_sandbox(certificate=certificate) as sandbox,
                running_portal(sandbox, where, merchants=options.stores, workers=1, schedules=0) as portal,
            ):
                none = measure(portal, options.rounds)
                _add(report, Case(scheme, database, 0), none, none)
                add_orders(portal, options.orders)
                _add(report, Case(scheme, database, options.orders), measure(portal, options.rounds), none)
    return report.finish()


def _add(report: Report, case: Case, cost: Cost, none: Cost) -> None:
    per_second = 1000 / cost.worker
    report.row(
        scheme=case.scheme,
        database=case.database,
        open_and_held_orders=case.orders,
        floor_ms=cost.floor,
        cpu_ms=cost.worker,
        ratio=cost.worker / cost.floor,
        stores_per_second_and_core=per_second,
    )
    report.goal(f"{case}: CPU beside a bare GET's", cost.worker / cost.floor, at_most=MAX_RATIO)
    least = LEAST_PER_SECOND * (1000 / cost.floor) / GETS_PER_SECOND
    report.goal(f"{case}: stores per second and core", per_second, at_least=round(least))
    if case.orders:
        report.goal(f"{case}: CPU beside that without orders", cost.worker / none.worker, at_most=MAX_GROWTH)


def measure(portal: RunningPortal, rounds: int) -> Cost:
    """Return the medians. Polls soon after a change of the rules or of held orders aren't idle yet."""
    poll_all(portal)
    portal.clock.move(COMMITTED_WITHIN.total_seconds() + 60)
    for _ in range(2):
        poll_all(portal)
    portal.sandbox.clear_calls()
    poll_all(portal)
    calls = portal.sandbox.calls("bigcartel")
    assert sum(calls.values()) == portal.merchants, f"An idle poll made more than one call: {calls}"
    target = portal.sandbox.requests("bigcartel")[-1]["target"]
    worker, floor = [], []
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(portal.sandbox.certificate) if portal.sandbox.certificate else True
        session.headers.update(HEADERS)
        for _ in range(rounds):
            floor.append(bare_gets(session, portal.sandbox.bigcartel + target, portal.merchants))
            began = cpu_seconds(portal.programs[0].pid)
            poll_all(portal)
            worker.append((cpu_seconds(portal.programs[0].pid) - began) / portal.merchants * 1000)
    return Cost(median(worker), median(floor))


def bare_gets(session: requests.Session, url: str, number: int) -> float:
    """Return the CPU milliseconds of one GET, parsed as JSON."""
    began = time.process_time()
    for _ in range(number):
        session.get(url, timeout=20).json()
    return (time.process_time() - began) / number * 1000


def poll_all(portal: RunningPortal) -> None:
    """Have the worker poll every store once."""
    now = portal.clock.now()
    portal.session.execute(update(Store).values(next_poll_at=now))
    portal.session.commit()
    ids = portal.session.scalars(select(Store.id).order_by(Store.id)).all()
    portal.session.commit()
    wake(portal.connection, [Call(JobName.POLL, (store_id,)) for store_id in ids])

    def are_polled() -> bool:
        left = portal.session.scalar(select(func.count()).where(Store.last_polled_at < now))
        portal.session.commit()
        return not left

    portal.until_idle()
    portal.until(are_polled, "every store was polled")


def add_orders(portal: RunningPortal, orders: int) -> None:
    """Send this many orders of the first store, and hold as many of it, which wait for the payment."""
    place(portal.sandbox, orders)
    poll_all(portal)
    portal.until_submitted(orders)
    portal.until_idle()
    hold(portal.session, portal.session.scalars(select(func.min(Store.id))).one(), orders)


if __name__ == "__main__":
    sys.exit(main())
