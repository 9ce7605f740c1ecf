"""Show that an outage of the warehouse costs its own length: how long after its end every order is there, each once.

Run it with ``python -m benchmarks.outage``. Redis, the database, the workers, and the schedule are real and run as
processes of their own. The outage begins while they send orders, so that some orders await confirmation. It ends right
after a probe, the worst moment: no other follows for half a minute. In a long outage, the clock of these processes is
moved, five seconds at a time, each time with a tick. After its end, the clock goes on as usual. The time to send the
same number of orders without an outage is measured before it, with the same processes.

The goals: an outage costs less than a minute, the warehouse is probed at most three times in a minute, and no order is
sent twice.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.results import Report, parser
from benchmarks.running_portal import running_portal
from embedded import postgres
from portal.models import OrderState
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.running_portal import RunningPortal
    from sandbox.client import Sandbox

BEFORE = 50
"""Orders that the warehouse accepts before it fails."""
KINDS: Mapping[str, Mapping[str, Any]] = {
    "503": {"kind": "status", "status": 503},
    "reset": {"kind": "reset_before"},
    "hang": {"kind": "hang"},
}
MAX_EXTRA, MAX_PROBES = 60.0, 3
INVENTORY, STATUS = "POST /xml/inventory/", "POST /xml/status/"
"""The two calls that a probe may be."""
SETTLED_WITHIN = 5.0
"""Status calls in the first seconds of an outage settle orders; later ones are probes, if every call fails."""


@dataclass(frozen=True, slots=True)
class Outage:
    """``on`` is the call that fails, or "any" for all of them."""

    minutes: int
    kind: str
    on: str = "any"

    def __str__(self) -> str:
        return f"{self.kind} on {'every call' if self.on == 'any' else 'each order'}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What an outage cost. Times are in seconds; ``probes`` is the largest number in one minute."""

    after: float
    to_send: float
    waiting: int
    unconfirmed: int
    probes: int
    twice: int

    @property
    def extra(self) -> float:
        return self.after - self.to_send

    @property
    def is_missed(self) -> bool:
        return self.extra >= MAX_EXTRA or self.probes > MAX_PROBES or self.twice > 0


def main() -> int:
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--database", choices=("sqlite", "postgresql"), default="sqlite")
    add("--kind", choices=tuple(KINDS), default="503", help="how the warehouse fails (default: HTTP 503)")
    add("--minutes", type=int, nargs="+", default=[1, 10, 60], help="lengths of the outages (default: 1 10 60)")
    add("--orders", type=int, default=500, help="orders that wait for the warehouse (default: 500)")
    add("--merchants", type=int, default=1, help="merchants that the orders are spread over (default: 1)")
    add("--workers", type=int, default=2, help="worker processes (default: 2)")
    options = arguments.parse_args()
    outages = [Outage(minutes, options.kind) for minutes in options.minutes]
    outages.append(Outage(1, options.kind, on="submit"))
    report = Report("outage", options)
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox())
        server = stack.enter_context(postgres.start()) if options.database == "postgresql" else None
        for outage in outages:
            with running_portal(sandbox, server, merchants=options.merchants, workers=options.workers) as portal:
                cost = measure(portal, outage, options.orders)
                _add(report, outage, cost)
                if cost.is_missed:
                    print(portal.warnings(), file=sys.stderr)
    return report.finish()


def _add(report: Report, outage: Outage, cost: Cost) -> None:
    name = f"{outage.minutes} min, {outage}"
    report.row(
        outage=name,
        waiting=cost.waiting,
        unconfirmed=cost.unconfirmed,
        seconds_after_its_end=cost.after,
        seconds_without_one=cost.to_send,
        probes_in_a_minute=cost.probes,
        sent_twice=cost.twice,
    )
    report.goal(f"{name}: seconds lost after its end", cost.extra, at_most=MAX_EXTRA)
    report.goal(f"{name}: probes in a minute", cost.probes, at_most=MAX_PROBES)
    report.goal(f"{name}: orders sent twice", cost.twice, at_most=0)


def measure(portal: RunningPortal, outage: Outage, orders: int) -> Cost:
    """Send orders without an outage, then as many with one."""
    before = portal.prepare(orders)
    portal.send()
    to_send = portal.until_submitted(orders)
    sandbox, clock = portal.sandbox, portal.clock
    numbers = before + portal.prepare(orders + BEFORE)
    sandbox.clear_calls()
    _plan(sandbox, outage)
    portal.send()
    portal.until(lambda: _has_begun(sandbox), "the warehouse fails", pause=0.02)
    began = clock.at(time.time())
    if outage.minutes == 1:
        time.sleep(60)  # the outage itself, in real time
    else:
        portal.until_idle()
        portal.move_to(began + 60 * outage.minutes)
    probes = len(_probed_at(portal, outage, began))
    portal.until(lambda: len(_probed_at(portal, outage, began)) > probes, "the warehouse is probed")
    unconfirmed = portal.count(OrderState.UNCONFIRMED, OrderState.SUBMITTING)
    waiting = len(numbers) - portal.count(OrderState.SUBMITTED)
    probed_at = _probed_at(portal, outage, began)
    assert len(probed_at) >= outage.minutes, "The processes didn't follow the moved clock."
    sandbox.clear_faults()
    after = portal.until_submitted(len(numbers))
    accepted, posted = sandbox.accepted(), sandbox.posted()
    assert set(accepted) == set(numbers), "The warehouse doesn't have exactly the orders that were placed."
    twice = sum(accepted[number] > 1 or posted[number] > 1 for number in numbers)
    return Cost(after, to_send, waiting, unconfirmed, _most_in_a_minute(probed_at), twice)


def _plan(sandbox: Sandbox, outage: Outage) -> None:
    """Plan the outage. The last orders before it arrive, but their answers don't."""
    sandbox.fault("submit", "cut_after", skip=BEFORE, times=2)
    sandbox.fault("submit", "status", status=503, takes_effect=True, skip=BEFORE, times=3)
    sandbox.fault(outage.on, side="fcp", skip=BEFORE, times=None, **KINDS[outage.kind])


def _has_begun(sandbox: Sandbox) -> bool:
    return any(fault["times"] is None and fault["fired"] for fault in sandbox.faults())


def _probed_at(portal: RunningPortal, outage: Outage, began: float) -> list[float]:
    """Return the times of the probes, in seconds of the moved clock."""
    calls = [(one["family"], portal.clock.at(one["at"])) for one in portal.sandbox.requests("fcp")]
    statuses_probe = outage.on == "any"
    return [
        at
        for family, at in calls
        if family == INVENTORY or (statuses_probe and family == STATUS and at > began + SETTLED_WITHIN)
    ]


def _most_in_a_minute(times: Sequence[float]) -> int:
    """Return the largest number of the times, in seconds, within any minute."""
    return max((sum(start <= one < start + 60 for one in times) for start in times), default=0)


if __name__ == "__main__":
    sys.exit(main())
