"""Measure how many orders a second 1, 2, and 4 workers send, for many merchants, on PostgreSQL.

Run it with ``python -m benchmarks.workers``. All orders are ready when the clock starts, as after an outage, and the
warehouse takes a while for each answer. The workers, their database, and the warehouse share this machine, so its cores
bound the speed in the end; the floor is one worker.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.processes import cpu_seconds
from benchmarks.results import Report, parser
from benchmarks.running_portal import running_portal
from embedded import postgres
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from sandbox.client import Sandbox

GAINS = {2: 1.6, 4: 2.5}
"""How many times as fast as one worker these should be, if the cores allow it."""


def seconds_to_send(
    sandbox: Sandbox, server: str, *, workers: int, merchants: int, orders: int, latency: int
) -> tuple[float, float]:
    """Return the seconds until every order is at the warehouse, and the CPU seconds of the workers and the schedule."""
    with running_portal(sandbox, server, merchants=merchants, workers=workers) as portal:
        numbers = portal.prepare(orders)
        sandbox.fault("submit", "latency", seconds=latency / 1000, times=None)

        def cpu() -> float:
            return sum(cpu_seconds(program.pid) for program in portal.programs)

        before = cpu()
        portal.send()
        seconds = portal.until_submitted(orders)
        portal.until_idle()
        used = cpu() - before
        received = sandbox.received()
        assert all(received[number]["accepted"] == 1 for number in numbers), "An order arrived twice, or not at all."
    return seconds, used


def main() -> int:
    options_of = parser(__doc__)
    options_of.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options_of.add_argument("--merchants", type=int, default=40)
    options_of.add_argument("--orders", type=int, default=2_000, help="orders of all merchants together")
    options_of.add_argument("--latency", type=int, default=150, help="milliseconds per answer of the warehouse")
    options = options_of.parse_args()
    report = Report("workers", options)
    rates: list[float] = []
    with postgres.start() as server, running_sandbox() as sandbox:
        for workers in options.workers:
            seconds, cpu = seconds_to_send(
                sandbox,
                server,
                workers=workers,
                merchants=options.merchants,
                orders=options.orders,
                latency=options.latency,
            )
            rates.append(options.orders / seconds)
            report.row(
                workers=workers,
                per_s=rates[-1],
                floor_per_s=rates[0],
                ratio=rates[-1] / rates[0],
                cpu_ms=cpu / options.orders * 1000,
            )
            if workers in GAINS:
                gain = rates[-1] / rates[0]
                report.goal(f"speed of {workers} workers beside {options.workers[0]}", gain, at_least=GAINS[workers])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
