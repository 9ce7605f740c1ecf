"""Measure how long stores with one new order wait for a store with thousands, while one worker works for all of them.

Run it with ``python -m benchmarks.fairness``. All orders are placed at the same time, and all stores are due then. The
floor is the same without the large store. "Waits" are from then until the warehouse has accepted the order.
"""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from benchmarks.fixtures import MERCHANT, account_of
from benchmarks.results import Report, parser
from benchmarks.running_portal import running_portal
from embedded import postgres
from jobs.turns import SHARED_SECONDS
from portal.models import Order, Store
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from sandbox.client import Sandbox


def waits(sandbox: Sandbox, server: str, *, stores: int, large: int, workers: int) -> list[float]:
    """Return the seconds that each of the stores with one order waited."""
    with running_portal(sandbox, server, merchants=stores + 1, workers=workers) as portal:
        read = select(func.count()).where(Store.last_polled_at.is_not(None), Store.products_refreshed_at.is_not(None))

        def stores_read() -> int:
            number = portal.session.scalar(read)
            portal.session.commit()
            return number or 0

        portal.until(lambda: stores_read() == stores + 1, "all stores were read once", pause=0.2)
        portal.until_idle()
        if large:
            sandbox.place_orders(count=large, account=account_of(0))
        for nth in range(1, stores + 1):
            sandbox.place_orders(count=1, account=account_of(nth))
        began = portal.clock.now()
        portal.session.execute(update(Store).values(next_poll_at=began))
        portal.session.commit()
        small = select(Order.submitted_at).where(Order.merchant_id != MERCHANT, Order.submitted_at.is_not(None))

        def times() -> list[float]:
            found = [(at - began).total_seconds() for at in portal.session.scalars(small) if at is not None]
            portal.session.commit()
            return found

        portal.until(lambda: len(times()) == stores, f"{stores} orders are at the warehouse", pause=0.2)
        return times()


def main() -> int:
    options_of = parser(__doc__)
    options_of.add_argument("--stores", type=int, default=100, help="stores with one new order")
    options_of.add_argument("--large", type=int, default=10_000, help="new orders of the large store")
    options_of.add_argument("--workers", type=int, default=1)
    options = options_of.parse_args()
    report = Report("fairness", options)
    longest = {}
    with postgres.start() as server, running_sandbox() as sandbox:
        for large in (0, options.large):
            found = waits(sandbox, server, stores=options.stores, large=large, workers=options.workers)
            longest[large] = max(found)
            report.row(
                beside=f"a store with {large:,}" if large else "nobody",
                stores=len(found),
                median_wait_s=statistics.median(found),
                longest_wait_s=max(found),
            )
    report.goal(
        "seconds that the large store adds to the longest wait",
        longest[options.large] - longest[0],
        at_most=SHARED_SECONDS,
    )
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
