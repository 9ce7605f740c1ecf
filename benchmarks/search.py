"""Measure searches among many orders on PostgreSQL: time, SQL statements, and whether indexes alone find the orders.

Run it with ``python -m benchmarks.search``. Half of all orders belong to one merchant. One buyer in twenty has the same
surname. Support searches, so that what is found by a buyer's data is also recorded. While somebody types, the newest
eight orders are shown; on the page of results, the newest fifty.
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
        "surname": words[3],
        "first name and common surname": f"{words[2]} smith",
        "three letters": "smi",
        "three letters of all surnames": "sur",
        "no such name": "quillfeather",
        "email address": words[4],
        "tracking number": words[5],
        "tracking number in groups": f"{words[5][:4]} {words[5][4:12]} {words[5][12:]}",
        "warehouse's number": at_the_warehouse,
        "number": f"#{number.lower()}",
        "number without a dash": number.replace("-", ""),
        "digits of a number": number.partition("-")[2],
        "SKU": words[6],
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
        scanned: set[str] = set()
        for name, typed in searches(searched).items():
            for where, address in (("one merchant", f"/m/{BUSIEST}/search"), ("all merchants", "/support/search")):
                for kind, headers in (("typing", TYPING), ("page", {})):
                    page = f"{name}, {where}, {kind}"
                    for _ in range(options.rounds + 1):
                        searched.visit(page, f"{address}?q={quote(typed)}", headers)
                    costs = searched.costs[page]
                    wall = costs.wall[1:]  # the first one reads what the others find in memory
                    p50, p95 = percentile(wall, 50), percentile(wall, 95)
                    slowest, most = max(slowest, p50), max(most, costs.statements)
                    report.row(search=page, p50_ms=p50, p95_ms=p95, cpu_ms=percentile(costs.cpu[1:], 50),
                               statements=costs.statements)  # fmt: skip
                scanned |= _scanned(searched, f"{address}?q={quote(typed)}")
    report.goal("milliseconds that the slowest search takes, median", slowest, at_most=MOST_MS)
    report.goal("SQL statements of a search", most, at_most=MOST_STATEMENTS)
    report.goal("tables of orders that a search reads as a whole", len(scanned), at_most=0)
    return report.finish()


def _scanned(side: Side, address: str) -> set[str]:
    """Return which tables with a row for each order a search reads without an index."""
    with side.app.app_context():
        engine = db.engine
    with statements_of(engine) as ran:
        side.client.get(address, headers=TYPING)
    with engine.connect() as connection:
        read = [read_as_a_whole(connection, one) for one in ran if one.sql.startswith("SELECT")]
        connection.rollback()
    return {"orders", "order_search"} & set().union(*read)


if __name__ == "__main__":
    sys.exit(main())
