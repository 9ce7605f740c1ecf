"""Measure a tick with many merchants on PostgreSQL: what is due, and enqueueing it.

Run it with ``python -m benchmarks.many_merchants --stores 10000 100000``. Each merchant has a store and some orders;
every store is synced once a minute and a tick comes every five seconds, so a twelfth of the stores are due, and one in
a hundred has new orders. "Old statistics" is the same two minutes later: PostgreSQL has not looked at the tables again,
as in production, where the times always move on. "All overdue" is the first tick after an outage of ten minutes.

The floor of the queries is reading the same ids by primary key; that of enqueueing is ``Queue.enqueue_many`` with as
many jobs that do nothing. "Again" enqueues the same once more: all of it is waiting by then. CPU is this process's
and its PostgreSQL backend's, because other work may share the machine.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rq import Queue
from sqlalchemy import NullPool, bindparam, create_engine, make_url, text

from benchmarks import many_stores
from benchmarks.cpu import cpu_of
from benchmarks.fixtures import database, session_on
from benchmarks.plans import read_as_a_whole, statements_of
from benchmarks.results import Report, parser
from embedded import postgres, redis
from jobs.tick import calls_for
from portal.fulfillment.due import Due, due
from portal.queue import connect, open_queue, wake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis import Redis
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from benchmarks.results import Value

LARGE = {"stores", "merchants", "orders"}
TICK_MS, MEASURED_AT = 200, 10_000
"""The goal for a tick with this many stores, in milliseconds of CPU."""


@dataclass(frozen=True, slots=True)
class Case:
    """What has happened since the statistics were made. ``overdue`` is for how many minutes nothing was done."""

    name: str
    minutes: int = 0
    overdue: int = 0


CASES = (Case("usual"), Case("old statistics", minutes=2), Case("all overdue", overdue=10))


@dataclass(slots=True)
class Portal:
    """A session, its PostgreSQL backend's CPU, and a Redis."""

    session: Session
    backend_cpu: Callable[[], float]
    redis: Redis
    rounds: int

    def cpu_ms(self, work: Callable[[], object]) -> float:
        """Return the median of the CPU time that the work takes, in milliseconds."""
        taken = []
        for _ in range(self.rounds):
            began = time.process_time() + self.backend_cpu()
            work()
            taken.append((time.process_time() + self.backend_cpu() - began) * 1000)
        return median(taken)


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--stores", type=int, nargs="+", default=[10_000], help="stores, each of its own merchant")
    options.add_argument("--orders-per-store", type=int, default=30)
    options.add_argument(
        "--percent-there", type=int, default=5, help="percent of the orders at the warehouse, up to 85"
    )
    options.add_argument("--rounds", type=int, default=9)
    chosen = options.parse_args()
    report = Report("many_merchants", chosen)
    with (
        TemporaryDirectory(prefix="portal-benchmark-") as folder,
        redis.start(Path(folder)) as redis_url,
        postgres.start() as server_url,
        connect(redis_url) as connection,
    ):
        server = make_url(server_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        for stores in chosen.stores:
            with database(server) as url:
                now = datetime.now(UTC)
                _fill(url, stores, stores * chosen.orders_per_store, now, chosen.percent_there)
                with session_on(url) as session:
                    backend = session.scalar(text("SELECT pg_backend_pid()"))
                    session.commit()
                    portal = Portal(session, cpu_of(backend or 0), connection, chosen.rounds)
                    for case in CASES:
                        now += timedelta(minutes=case.minutes)
                        _measure(report, portal, case, stores, now)
    return report.finish()


def _fill(url: str, stores: int, orders: int, now: datetime, percent_there: int) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        many_stores.fill(connection, stores, orders, now, percent_there=percent_there)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _measure(report: Report, portal: Portal, case: Case, stores: int, now: datetime) -> None:
    session = portal.session
    if case.minutes:
        _move(session, case.minutes)
    now += timedelta(minutes=case.overdue)

    def ask() -> Due:
        found = due(session, track_seconds=many_stores.TRACK_SECONDS, now=now)
        session.commit()
        return found

    found = ask()
    calls = calls_for(found)
    jobs = _enqueue(portal, lambda: wake(portal.redis, calls))
    again = portal.cpu_ms(lambda: wake(portal.redis, calls))
    queries, enqueueing = portal.cpu_ms(ask), portal.cpu_ms(lambda: _enqueue(portal, lambda: wake(portal.redis, calls)))
    by_id = portal.cpu_ms(lambda: _read_by_id(session, found))
    no_ops = portal.cpu_ms(lambda: _enqueue(portal, lambda: _enqueue_no_ops(portal.redis, jobs)))
    whole = _read_as_a_whole(session, ask)
    row: dict[str, Value] = {"stores": stores, "case": case.name}
    row |= {"due": sum(map(len, _ids(found))), "queries_ms": queries, "floor_ms": by_id, "whole_tables": len(whole)}
    row |= {"jobs": jobs, "enqueue_ms": enqueueing, "no_ops_ms": no_ops, "again_ms": again}
    report.row(**row)
    report.goal(f"tables read as a whole, {stores:,} stores, {case.name}", len(whole), at_most=0)
    if stores == MEASURED_AT and not case.overdue:
        report.goal(f"ms of CPU for a tick, {stores:,} stores, {case.name}", queries + enqueueing, at_most=TICK_MS)


def _move(session: Session, minutes: int) -> None:
    """Let some minutes pass in which all recurring work was done."""
    for table, column in (
        ("stores", "next_poll_at"),
        ("stores", "products_refreshed_at"),
        ("merchants", "last_tracked_at"),
    ):
        session.execute(text(f"UPDATE {table} SET {column} = {column} + interval '{minutes} minutes'"))  # noqa: S608 - ours
    session.commit()


def _ids(found: Due) -> tuple[Sequence[int], ...]:
    return (
        found.polls,
        found.products,
        found.dry_runs,
        found.submits,
        found.settles,
        found.tracks,
        found.credentials,
    )


def _read_by_id(session: Session, found: Due) -> None:
    stores = text("SELECT id FROM stores WHERE id = ANY(:ids)").bindparams(bindparam("ids"))
    merchants = text("SELECT id FROM merchants WHERE id = ANY(:ids)").bindparams(bindparam("ids"))
    for nth, ids in enumerate(_ids(found)):
        session.scalars(stores if nth < 3 else merchants, {"ids": list(ids)}).all()
    session.commit()


def _enqueue(portal: Portal, work: Callable[[], int]) -> int:
    portal.redis.flushall()
    return work()


def _enqueue_no_ops(connection: Redis, jobs: int) -> int:
    open_queue(connection).enqueue_many([Queue.prepare_data("no_op") for _ in range(jobs)])
    return jobs


def _read_as_a_whole(session: Session, work: Callable[[], object]) -> set[str]:
    """Return the large tables that a statement of the work reads as a whole."""
    engine: Engine = session.get_bind()  # type: ignore[assignment]  # these sessions are made on an engine
    with statements_of(engine) as statements:
        work()
    connection = session.connection()
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    found = set[str]().union(*(read_as_a_whole(connection, one) for one in statements))
    session.commit()
    return found & LARGE


if __name__ == "__main__":
    sys.exit(main())
