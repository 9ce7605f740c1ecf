"""Measure searches among many orders on PostgreSQL: time, SQL statements, and whether indexes alone find the orders.

Run it with ``python -m benchmarks.search``. Half of all orders belong to one merchant. One buyer in twenty has the same
surname. Support searches, so that what is found by a buyer's data is also recorded. While somebody types, the newest
eight orders are shown; on the page of results, the newest fifty. CPU is this process's and its PostgreSQL backend's: it
says more than the time does where other work shares the machine.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import select

from benchmarks.many_rows import BUSIEST, Size
from benchmarks.pages import MOST_STATEMENTS, percentile, side
from benchmarks.plans import read_as_a_whole, statements_of
from benchmarks.results import Report, parser
from embedded import postgres, redis
from portal.extensions import db
from portal.models import Order, OrderSearch
from portal.page_extensions import limiter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.pages import Side

MOST_MS = 100
TYPING = {"HX-Request": "true", "HX-Target": "search-results"}


def searches(side: Side) -> Mapping[str, str]:
    """Return what is typed, by what it is."""
    with side.app.app_context():
        number = side.known.number
        query = select(OrderSearch.terms, Order.fcp_order_id).join(Order)
        terms, at_the_warehouse = db.session.execute(query.where(Order.number == number)).one()
        words = terms.split()
        db.session.commit()
    return {
        "common surname": "smith",
        "surname": words[4],
        "first name and common surname": f"{words[3]} smith",
        "three letters": "smi",
        "three letters of all surnames": "sur",
        "no such name": "quillfeather",
        "common surname that this merchant doesn't have": "jones",
        "email address": words[5],
        "tracking number": words[6],
        "tracking number in groups": f"{words[6][:4]} {words[6][4:12]} {words[6][12:]}",
        "warehouse's number": at_the_warehouse,
        "number": f"#{number.lower()}",
        "number without a dash": number.replace("-", ""),
        "digits of a number": number.partition("-")[2],
        "SKU": words[7],
        "SKUs that begin alike": "goods",
    }


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=1_000_000)
    arguments.add_argument("--merchants", type=int, default=100)
    arguments.add_argument("--rounds", type=int, default=10, help="requests for each search")
    options = arguments.parse_args()
    report = Report("search", options)
    with ExitStack() as stack:
        server = stack.enter_context(postgres.start())
        folder = stack.enter_context(TemporaryDirectory(prefix="portal-benchmark-"))
        redis_url = stack.enter_context(redis.start(Path(folder)))
        size = Size.of_orders(options.orders, merchants=options.merchants, products=2_000)
        searched = stack.enter_context(side(server, redis_url, size, with_attempts=False))
        limiter.enabled = False
        slowest = most = 0.0
        scans = 0
        for name, typed in searches(searched).items():
            for where, address in (("one merchant", f"/m/{BUSIEST}/search"), ("all merchants", "/support/search")):
                for kind, headers in (("typing", TYPING), ("page", {})):
                    page = f"{name}, {where}, {kind}"
                    for _ in range(options.rounds + 1):
                        searched.visit(page, f"{address}?q={quote(typed)}", headers)
                    costs = searched.costs[page]
                    wall = costs.wall[1:]  # the first one reads what the others find in memory
                    p50, p95 = percentile(wall, 50), percentile(wall, 95)
                    cpu = percentile(costs.cpu[1:], 50)
                    slowest, most = max(slowest, cpu), max(most, costs.statements)
                    report.row(search=page, p50_ms=p50, p95_ms=p95, cpu_ms=cpu, statements=costs.statements)
                scans += _scans(searched, f"{address}?q={quote(typed)}")
    report.goal("milliseconds of CPU that the slowest search takes, median", slowest, at_most=MOST_MS)
    # One more than other pages when support's entry in the audit trail gets more orders.
    report.goal("SQL statements of a search", most, at_most=MOST_STATEMENTS + 1)
    report.goal("searches of words that don't use their index", scans, at_most=0)
    return report.finish()


def _scans(side: Side, address: str) -> int:
    """Return how many statements look for words in all orders without the index. A look at the newest isn't one."""
    with side.app.app_context():
        engine = db.engine
    with statements_of(engine) as ran:
        side.client.get(address, headers=TYPING)
    with engine.connect() as connection:
        found = [read_as_a_whole(connection, one) for one in ran if one.sql.startswith("WITH")]
        connection.rollback()
    return sum("order_search" in tables for tables in found)


if __name__ == "__main__":
    sys.exit(main())
