"""Compute what a number of merchants needs from what the other benchmarks measured on this machine.

Run it with ``python -m benchmarks.sizing``, after ``idle_worker``, ``submit`` and ``track``, whose reports it reads
from ``bench/``. What an order takes in the database is measured here, on PostgreSQL. Workers are counted so that each
is busy for two thirds of the time, in the hour of the day that has an eighth of its orders.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from benchmarks.fixtures import MERCHANT, connect, database, fill, session_on, settings_for
from benchmarks.results import FOLDER, Report, parser
from embedded import postgres
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.submit.run import submit_merchant
from portal.fulfillment.track.run import track_merchant
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MERCHANTS = (100, 1_000, 10_000, 100_000)
POLL_SECONDS, TRACK_SECONDS = 60, 300
DAYS_OPEN = 3
"""Days that an order waits at the warehouse, in the mean."""
PEAK_HOUR = 1 / 8
BUSY = 2 / 3


class Unit(NamedTuple):
    """CPU seconds of an idle poll, of sending an order, of asking about one, and of marking one as shipped."""

    poll: float
    send: float
    ask: float
    ship: float


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--orders-a-day", type=int, default=10, help="orders a day of each merchant (default: 10)")
    arguments.add_argument("--sample", type=int, default=500, help="orders whose bytes in the database are measured")
    options = arguments.parse_args()
    report = Report("sizing", options)
    unit, kilobytes = measured(), kilobytes_per_order(options.sample)
    for merchants in MERCHANTS:
        a_day = merchants * options.orders_a_day
        polling = merchants / POLL_SECONDS * unit.poll
        asking = a_day * DAYS_OPEN / TRACK_SECONDS * unit.ask
        sending = a_day * PEAK_HOUR / 3600 * (unit.send + unit.ship)
        report.row(
            merchants=merchants,
            orders_a_day=a_day,
            cores_to_poll=polling,
            cores_to_ask=asking,
            cores_to_send=sending,
            workers=math.ceil((polling + asking + sending) / BUSY),
            gigabytes_a_year=a_day * 365 * kilobytes / 1e6,
        )
    report.goal("kilobytes an order takes in the database", kilobytes, at_most=20)
    return report.finish()


def measured() -> Unit:
    """Return the figures of the reports, in seconds. Raises FileNotFoundError if a program hasn't been run."""
    still_open, *_, shipped = cpu_seconds("track")
    return Unit(max(cpu_seconds("idle_worker")), max(cpu_seconds("submit")), still_open, shipped)


def cpu_seconds(program: str) -> list[float]:
    """Return the CPU seconds of each row of a report."""
    found = json.loads((FOLDER / f"{program}.json").read_text("utf-8"))["rows"]
    return [row["cpu_ms"] / 1000 for row in found]


def kilobytes_per_order(orders: int) -> float:
    """Return what a sent and shipped order takes with its attempts and indexes, before its data is purged."""
    with running_sandbox() as sandbox, postgres.start() as server, database(server) as url, session_on(url) as session:
        fill(sandbox, orders)
        settings = settings_for(sandbox, url, concurrency=8)
        store_id = connect(session, settings)
        before = size(session)
        poll_store(session, store_id, settings)
        submit_merchant(session, MERCHANT, settings)
        sandbox.ship_all()
        track_merchant(session, MERCHANT, settings)
        return (size(session) - before) / orders / 1000


def size(session: Session) -> int:
    session.commit()
    found: int = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    session.commit()
    return found


if __name__ == "__main__":
    sys.exit(main())
