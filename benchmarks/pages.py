"""Measure the pages with a small and with a large database on PostgreSQL: time, CPU, and SQL statements of each.

Run it with ``python -m benchmarks.pages``. Half of everything belongs to one merchant, whose pages are measured; both
databases take turns in one process. CPU is this process's and its PostgreSQL backend's: it says more than the time does
where other work shares the machine. The ratio is that of the p95 of CPU.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import event, text

from benchmarks.cpu import cpu_of
from benchmarks.fixtures import database, session_on
from benchmarks.many_rows import BUSIEST, SUPPORT, Size, fill, log_in
from benchmarks.results import Report, parser
from config import load_settings
from embedded import postgres, redis
from portal import create_app
from portal.extensions import db

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flask import Flask
    from flask.testing import FlaskClient

    from benchmarks.many_rows import Known

MOST_STATEMENTS = 12
MOST_SLOWER = 1.3
MOST_GROWTH = 1.2
MOST_MS_TO_FIRST_BYTE = 200
CSV_LINES = 100_000
"""Lines of a CSV file that are read, if it has so many."""
CSV_PART = 1_000_000
"""Bytes of a CSV file after which its memory is measured for the first time."""


@dataclass(slots=True)
class Costs:
    """What each request to one page took, in milliseconds, and its most statements."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    statements: int = 0
    rows: int = 0
    """Rows of the tables on the page. One that isn't full in the small database is in the large one."""


@dataclass(slots=True)
class Side:
    """The portal with one of the databases, logged in as support."""

    app: Flask
    client: FlaskClient
    known: Known
    backend_cpu: Callable[[], float]
    statements: int = 0
    costs: dict[str, Costs] = field(default_factory=dict)

    def count(self, *_: object) -> None:
        self.statements += 1

    def visit(self, name: str, address: str, headers: Mapping[str, str] | None = None) -> None:
        """Request a page as its reader would, and note what it took."""
        costs = self.costs.setdefault(name, Costs())
        self.statements, wall, cpu = 0, time.perf_counter(), time.process_time() + self.backend_cpu()
        answer = self.client.get(address, headers=headers)
        costs.cpu.append((time.process_time() + self.backend_cpu() - cpu) * 1000)
        costs.wall.append((time.perf_counter() - wall) * 1000)
        costs.statements = max(costs.statements, self.statements)
        costs.rows = answer.data.count(b"<tr")
        assert answer.status_code in {200, 303}, (address, answer.status_code)


def families(known: Known) -> dict[str, str]:
    """Return the address of one page of each family."""
    ours, deep = f"/m/{BUSIEST}", known.deep_attempt
    return {
        "dashboard": f"{ours}/",
        "orders, first": f"{ours}/orders",
        "orders, deep": f"{ours}/orders?before={known.deep_order}",
        "orders, attention": f"{ours}/orders?needs=attention&sort=oldest",
        "orders, on hold": f"{ours}/orders?state=held",
        "orders, one hold reason": f"{ours}/orders?hold=no_sku",
        "orders, shipping code": f"{ours}/orders?shipping=INTERNATIONAL_DEFAULT",
        "orders, number": f"{ours}/orders?number={known.number}",
        "orders, digits": f"{ours}/orders?number={known.number[-4:]}",
        "orders, no such number": f"{ours}/orders?number=QQQQ-9",
        "one order": f"{ours}/orders/{known.number}",
        "attempts, first": f"{ours}/attempts",
        "attempts, deep": f"{ours}/attempts?before={deep}",
        "attempts, rare outcome": f"{ours}/attempts?outcome=refused",
        "attempts, rare outcome and kind": f"{ours}/attempts?outcome=refused&kind=mark_shipped",
        "attempts, number": f"{ours}/attempts?number={known.number}",
        "attempts, digits": f"{ours}/attempts?number={known.number[-4:]}",
        "attempts, two digits": f"{ours}/attempts?number={known.number[-2:]}",
        "products, first": f"{ours}/products",
        "products, last": f"{ours}/products?page=1000",
        "products, search": f"{ours}/products?q=GOODS-77",
        "products, problems": f"{ours}/products?problems=y",
        "support, merchants": "/support/merchants",
        "support, order by digits": f"/support/merchants?q={known.number[-6:]}",
        "support, attempts": "/support/attempts",
        "support, attempts deep": f"/support/attempts?before={deep}",
        "support, rare outcome": "/support/attempts?outcome=refused",
        "support, one merchant": f"/support/attempts?merchant={BUSIEST + 1}&outcome=refused",
        "support, attempts by digits": f"/support/attempts?number={known.number[-4:]}",
    }


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--small", type=int, default=10_000, help="attempts in the small database")
    arguments.add_argument("--large", type=int, default=1_000_000, help="attempts in the large database")
    arguments.add_argument("--merchants", type=int, default=100)
    arguments.add_argument("--products", type=int, default=2_000, help="of the large store; the small one has a tenth")
    arguments.add_argument("--rounds", type=int, default=20, help="requests to each page")
    arguments.add_argument("--only", default="", help="only pages and files whose name contains this")
    options = arguments.parse_args()
    report = Report("pages", options)
    sizes = (
        Size(options.small, options.merchants, max(options.products // 10, 1)),
        Size(options.large, options.merchants, options.products),
    )
    with ExitStack() as stack:
        server = stack.enter_context(postgres.start())
        folder = stack.enter_context(TemporaryDirectory(prefix="portal-benchmark-"))
        redis_url = stack.enter_context(redis.start(Path(folder)))
        small, large = (stack.enter_context(side(server, redis_url, size)) for size in sizes)
        gc.collect()
        gc.freeze()  # as wsgi.py does
        measure_pages(report, small, large, rounds=options.rounds, only=options.only)
        measure_files(report, large, only=options.only)
    return report.finish()


def measure_pages(report: Report, small: Side, large: Side, *, rounds: int, only: str) -> None:
    ratios, statements = {}, {}
    addresses = families(large.known)
    for name, address in families(small.known).items():
        if only not in name:
            continue
        for number in range(rounds + 1):
            visits = [(small, address), (large, addresses[name])]
            for one, where in visits if number % 2 else reversed(visits):
                one.visit(name, where)
            if not number:  # the first requests warm up, and judge the SKUs of products that no sync has read
                small.costs.clear()
                large.costs.clear()
        first, then = small.costs[name], large.costs[name]
        ratios[name] = ratio = percentile(then.cpu, 95) / percentile(first.cpu, 95)
        statements[name] = max(first.statements, then.statements)
        report.row(
            page=name,
            small_rows=first.rows,
            large_rows=then.rows,
            small_p50_ms=percentile(first.wall, 50),
            small_p95_ms=percentile(first.wall, 95),
            small_cpu_ms=percentile(first.cpu, 95),
            large_p50_ms=percentile(then.wall, 50),
            large_p95_ms=percentile(then.wall, 95),
            large_cpu_ms=percentile(then.cpu, 95),
            ratio_p50=percentile(then.cpu, 50) / percentile(first.cpu, 50),
            ratio=ratio,
            statements=statements[name],
        )
    if ratios:
        slowest, busiest = max(ratios, key=ratios.__getitem__), max(statements, key=statements.__getitem__)
        report.goal(f"p95 of CPU, large beside small ({slowest})", ratios[slowest], at_most=MOST_SLOWER)
        report.goal(f"SQL statements of a page ({busiest})", statements[busiest], at_most=MOST_STATEMENTS)


def measure_files(report: Report, side: Side, *, only: str) -> None:
    for name in ("orders", "attempts", "products"):
        if only not in f"{name}.csv":
            continue
        address = f"/m/{BUSIEST}/{name}/{name}.csv"
        first_ms, seconds, rows = _timed(side, address)
        growth = _growth(side, address)
        report.row(page=f"{name}.csv", first_byte_ms=first_ms, seconds=seconds, lines=rows, memory_ratio=growth)
        report.goal(f"milliseconds to the first byte of {name}.csv", first_ms, at_most=MOST_MS_TO_FIRST_BYTE)
        report.goal(f"peak memory for {name}.csv, all of it beside its first part", growth, at_most=MOST_GROWTH)


def _timed(side: Side, address: str) -> tuple[float, float, int]:
    """Return the milliseconds to the first row of a file, the seconds to its end, and its lines."""
    started = time.perf_counter()
    answer = side.client.get(address, buffered=False)
    parts = iter(answer.iter_encoded())
    rows = 0
    while rows < 2:
        rows += next(parts, b"\r\n" * 2).count(b"\r\n")
    first_ms = (time.perf_counter() - started) * 1000
    for part in parts:
        rows += part.count(b"\r\n")
        if rows > CSV_LINES:
            break
    answer.close()
    return first_ms, time.perf_counter() - started, rows


def _growth(side: Side, address: str) -> float:
    """Return the peak memory while the file is read, relative to the peak during its first CSV_PART bytes."""
    tracemalloc.start()
    try:
        answer = side.client.get(address, buffered=False)
        read, rows, early = 0, 0, 0
        for part in answer.iter_encoded():
            read, rows = read + len(part), rows + part.count(b"\r\n")
            if read >= CSV_PART and not early:
                early = tracemalloc.get_traced_memory()[1]
            if rows > CSV_LINES:
                break
        answer.close()
        return tracemalloc.get_traced_memory()[1] / early if early else 1.0
    finally:
        tracemalloc.stop()


@contextmanager
def side(server: str, redis_url: str, size: Size, *, with_attempts: bool = True) -> Iterator[Side]:
    """Yield the portal with a database of this size, which takes a minute to fill per million attempts."""
    with database(server) as url:
        with session_on(url) as session:
            known = fill(session, size, with_attempts=with_attempts)
        app = create_app(
            load_settings(
                {
                    "SECRET_KEY": "only-for-benchmarks-0123456789-abcdef",
                    "TOKEN_KEYS": "qNVnHlBFr9xDQ1e0nJrn4TfqoTDqEOz9HMqQK0sgV3c=",
                    "DATABASE_URL": url,
                    "REDIS_URL": redis_url,
                }
            )
        )
        client = app.test_client()
        log_in(app, client, SUPPORT)
        with app.app_context():
            engine = db.engine
            with engine.connect() as connection:
                backend = connection.scalar(text("SELECT pg_backend_pid()"))
        one = Side(app, client, known, cpu_of(backend))
        event.listen(engine, "before_cursor_execute", one.count)
        try:
            yield one
        finally:
            engine.dispose()


def percentile(values: list[float], percent: int) -> float:
    """Return the lowest value that so many percent of all don't exceed."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


if __name__ == "__main__":
    sys.exit(main())
