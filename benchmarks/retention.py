"""Show that sending an order costs the same with few and with many old attempts, and that the purge keeps up.

Run it with ``python -m benchmarks.retention`` (about five minutes). Each database has orders of a year with five
attempts each. A merchant sends new orders, as its job does; then the purge empties old ones for some seconds. What is
counted comes from PostgreSQL: blocks read or found in memory, bytes of write-ahead log, and updates that needed no new
index entries ("HOT").

The goals: an order costs at most 1.3 times the blocks and bytes, however many attempts there are, documents take at
most half the space of their text, and the purge empties five times as many orders as a worker sends in the same time.
"""

from __future__ import annotations

import resource
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from benchmarks.fixtures import MERCHANT, account_of, connect, database, fill, session_on, settings_for
from benchmarks.many_rows import Size
from benchmarks.many_rows import fill as fill_with_old_rows
from benchmarks.results import Report, parser
from embedded import postgres
from portal.clock import utc_now
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.purge import purge
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Order
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from benchmarks.results import Value
    from sandbox.client import Sandbox

MERCHANTS = 20
"""With old rows. The one that follows has new orders only."""
DAYS = 90
MAX_GROWTH, MIN_PURGED = 1.3, 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What sending one order took."""

    blocks: float
    wal_bytes: float
    cpu_ms: float
    per_second: float
    hot_percent: float
    """Of the updates of attempts."""
    document_bytes: float
    """What Big Cartel sent, as text."""
    stored_bytes: float
    """What PostgreSQL keeps of it. PostgreSQL compresses rows of more than 2 kB on its own."""


def main() -> int:
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--attempts", type=int, nargs=2, default=[10_000, 1_000_000], help="few and many (default: 10000 1000000)")
    add("--orders", type=int, default=1_000, help="orders to send (default: 1000)")
    add("--seconds", type=float, default=20, help="how long to purge (default: 20)")
    options = arguments.parse_args()
    report = Report("retention", options)
    costs, purged = [], 0.0
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox())
        server = stack.enter_context(postgres.start())
        for attempts in options.attempts:
            with database(server) as url, session_on(url) as session:
                fill_with_old_rows(session, Size(attempts, MERCHANTS, 100))
                sizes = _sizes(session)
                costs.append(_send(sandbox, session, url, options.orders))
                purged, longest = _purge(session, options.seconds)
                report.row(
                    old_attempts=attempts,
                    blocks_per_order=costs[-1].blocks,
                    log_bytes_per_order=costs[-1].wal_bytes,
                    CPU_ms_per_order=costs[-1].cpu_ms,
                    sent_per_second=costs[-1].per_second,
                    HOT_percent=costs[-1].hot_percent,
                    document_bytes=costs[-1].document_bytes,
                    stored_bytes=costs[-1].stored_bytes,
                    purged_per_second=purged,
                    longest_batch_ms=longest * 1000,
                    **sizes,
                )
    few, many = costs
    report.goal("blocks per order, many to few", many.blocks / few.blocks, at_most=MAX_GROWTH)
    report.goal("log bytes per order, many to few", many.wal_bytes / few.wal_bytes, at_most=MAX_GROWTH)
    report.goal("stored bytes of a document, share of its text", many.stored_bytes / many.document_bytes, at_most=0.5)
    report.goal("orders purged for each that is sent", purged / many.per_second, at_least=MIN_PURGED)
    return report.finish()


def _sizes(session: Session) -> dict[str, Value]:
    """Return megabytes of the two large tables and of their indexes."""
    sizes: dict[str, Value] = {}
    for table in ("orders", "attempts"):
        for what, function in (("", "pg_table_size"), ("_indexes", "pg_indexes_size")):
            size = session.scalar(text(f"SELECT {function}('{table}')"))
            sizes[f"{table}{what}_MB"] = round(size / 1e6, 1)
    session.commit()
    return sizes


def _send(sandbox: Sandbox, session: Session, url: str, orders: int) -> Cost:
    fill(sandbox, 0, merchants=MERCHANTS + 1)
    sandbox.place_orders(count=orders, account=account_of(MERCHANTS))
    settings = settings_for(sandbox, url, 8)
    store_id = connect(session, settings, nth=MERCHANTS)
    session.commit()
    poll_store(session, store_id, settings)
    before, began, cpu = _counters(session), time.monotonic(), _cpu()
    submit_merchant(session, MERCHANT + MERCHANTS, settings)
    seconds, cpu = time.monotonic() - began, _cpu() - cpu
    blocks, wal, updates, hot = (after - earlier for after, earlier in zip(_counters(session), before, strict=True))
    assert len(sandbox.accepted(str(MERCHANT + MERCHANTS))) == orders, "Not every order was sent."
    sent = Order.merchant_id == MERCHANT + MERCHANTS
    lengths = select(func.avg(func.octet_length(Order.document)), func.avg(func.pg_column_size(Order.document)))
    document, stored = map(float, session.execute(lengths.where(sent)).one())
    session.commit()
    hot_percent = 100 * hot / max(updates, 1)
    return Cost(blocks / orders, wal / orders, cpu * 1000 / orders, orders / seconds, hot_percent, document, stored)


def _counters(session: Session) -> tuple[float, ...]:
    """Return blocks, bytes of log, and updates of attempts, all and HOT, since the server started."""
    session.execute(text("SELECT pg_stat_force_next_flush()"))
    session.commit()
    found = session.execute(
        text(
            "SELECT blks_hit + blks_read, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), n_tup_upd, n_tup_hot_upd "
            "FROM pg_stat_database, pg_stat_user_tables WHERE datname = current_database() AND relname = 'attempts'"
        )
    ).one()
    session.commit()
    return tuple(map(float, found))


def _purge(session: Session, seconds: float) -> tuple[float, float]:
    """Return how many orders a second the purge emptied, and how many seconds the longest batch took."""
    orders, longest, began = 0, 0.0, time.monotonic()
    last = began
    for emptied in purge(session, days=DAYS, now=utc_now()):
        now = time.monotonic()
        orders, longest, last = orders + emptied, max(longest, now - last), now
        if now >= began + seconds:
            break
    return orders / (last - began), longest


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
