"""Compare how fast the portal sends orders from the store to the warehouse with a baseline that stores nothing.

Run it with ``python -m benchmarks.submit``. The portal polls the store and submits for the merchant exactly as the jobs
do, until every outcome is committed. The baseline (``benchmarks.baseline``) reads the same pages and posts the same
XML. Both run in this process, in turn. The sandbox and PostgreSQL run in their own processes, so the CPU times exclude
them. After each run, the portal's orders and attempts and what the warehouse received are checked against what the
baseline would have sent.

Other load on the machine slows down both sides, so compare ratios within a run, not absolute numbers across runs.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from benchmarks import baseline
from benchmarks.certificates import self_signed, trusted_too
from benchmarks.fixtures import MERCHANT, MERCHANT_TOKEN, connect, database, fill, session_on, settings_for
from benchmarks.results import Report, parser
from embedded import postgres
from portal.clients import connections
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Attempt, AttemptOutcome, Order, OrderState
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from sandbox.client import Sandbox


@dataclass(frozen=True, slots=True)
class Measured:
    """One run's orders per second (``rate``) and milliseconds of CPU time per order (``cpu``)."""

    rate: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Goals:
    """The least share of the bare loop's speed, and the most of its CPU time on SQLite and on PostgreSQL."""

    rate: float
    cpu: Mapping[str, float] = field(default_factory=lambda: {"SQLite": 1.3, "PostgreSQL": 1.4})


CONCURRENCY = {0: 8, 50: 32, 150: 32}
"""How many calls at once go to a warehouse that takes this many milliseconds per answer."""
WARM_UP = 50
"""Orders that both sides send before anything is measured: a worker has sent some, too."""
GOALS = {0: Goals(rate=0.75), 50: Goals(rate=0.9), 150: Goals(rate=0.9)}


class Case(NamedTuple):
    """What a row is about. ``latency`` is in milliseconds per answer of the warehouse."""

    orders: int
    latency: int
    database: str
    scheme: str = "http"

    def __str__(self) -> str:
        return f"{self.orders:,} orders, {self.latency} ms, {self.database}, {self.scheme}"


def main() -> int:
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--orders", type=int, nargs="+", default=[1_000], help="orders of a run (default: 1000)")
    add("--latency", type=int, nargs="+", default=[0, 50, 150], choices=CONCURRENCY, help="milliseconds per answer")
    add("--rounds", type=int, default=3, help="runs of each side, of which the medians count (default: 3)")
    options = arguments.parse_args()
    report = Report("submit", options)
    cases = [Case(*one) for one in product(options.orders, options.latency, ("SQLite", "PostgreSQL"))]
    cases.append(Case(options.orders[0], options.latency[-1], "SQLite", "https"))
    with ExitStack() as stack:
        pem = self_signed(Path(stack.enter_context(TemporaryDirectory())), "127.0.0.1")
        connections.start_over(trusted_too(pem))
        sandboxes = {
            scheme: stack.enter_context(running_sandbox(certificate=certificate))
            for scheme, certificate in (("http", None), ("https", pem))
        }
        servers = {"SQLite": None, "PostgreSQL": stack.enter_context(postgres.start())}
        _pair(sandboxes["http"], None, 0, WARM_UP)
        for case in cases:
            sandbox, server = sandboxes[case.scheme], servers[case.database]
            _add(report, case, [_pair(sandbox, server, case.latency, case.orders) for _ in range(options.rounds)])
    return report.finish()


def _add(report: Report, case: Case, pairs: list[tuple[Measured, Measured]]) -> None:
    floor, portal = (
        Measured(median(run.rate for run in side), median(run.cpu for run in side)) for side in zip(*pairs, strict=True)
    )
    rate = median(ours.rate / theirs.rate for theirs, ours in pairs)
    cpu = median(ours.cpu / theirs.cpu for theirs, ours in pairs)
    report.row(
        orders=case.orders,
        latency_ms=case.latency,
        at_once=CONCURRENCY[case.latency],
        database=case.database,
        scheme=case.scheme,
        floor_per_s=floor.rate,
        per_s=portal.rate,
        ratio=rate,
        floor_cpu_ms=floor.cpu,
        cpu_ms=portal.cpu,
        cpu_ratio=cpu,
    )
    report.goal(f"{case}: share of the bare loop's speed", rate, at_least=GOALS[case.latency].rate)
    report.goal(f"{case}: CPU beside the bare loop's", cpu, at_most=GOALS[case.latency].cpu[case.database])


def _pair(sandbox: Sandbox, server: str | None, latency: int, orders: int) -> tuple[Measured, Measured]:
    """Return what the bare loop and then the portal took."""
    _prepare(sandbox, latency, orders)
    accepted = 0

    def run_baseline() -> None:
        nonlocal accepted
        accepted = baseline.run(sandbox, CONCURRENCY[latency])

    base = _measure(run_baseline, orders)
    assert accepted == orders, f"The warehouse accepted {accepted} of the baseline's {orders} orders."
    calls = sandbox.calls()
    _prepare(sandbox, latency, orders)
    with database(server) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, CONCURRENCY[latency])
        store_id = connect(session, settings)

        def run_portal() -> None:
            poll_store(session, store_id, settings)
            submit_merchant(session, MERCHANT, settings)

        portal = _measure(run_portal, orders)
        assert sandbox.calls() == calls, "The portal and the baseline made different calls."
        _check(session, sandbox, orders)
    return base, portal


def _prepare(sandbox: Sandbox, latency: int, orders: int) -> None:
    fill(sandbox, orders)
    if latency:
        sandbox.fault("submit", "latency", seconds=latency / 1000, times=None)


def _measure(run: Callable[[], None], orders: int) -> Measured:
    began, cpu_began = time.perf_counter(), time.process_time()
    run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    return Measured(orders / seconds, cpu / orders * 1000)


def _check(session: Session, sandbox: Sandbox, orders: int) -> None:
    """Check that every order reached the warehouse once, as the baseline would have sent it, and is recorded here."""
    submitted = select(func.count()).where(Order.state == OrderState.SUBMITTED, Order.fcp_order_id != "")
    recorded = select(func.count()).where(
        Attempt.outcome == AttemptOutcome.DONE,
        Attempt.request.contains("<OrderNumber>"),
        ~Attempt.request.contains(MERCHANT_TOKEN),
        Attempt.answer.contains("Success"),
    )
    assert session.scalar(submitted) == orders
    assert session.scalar(recorded) == orders
    received = sandbox.received()
    for order in baseline.requests_to_send(sandbox):
        actual = received.pop(order.order_number)
        assert actual["accepted"] == 1
        assert actual["shipping_method"] == order.shipping_method
        assert [(item["sku"], item["quantity"]) for item in actual["items"]] == [
            (item.sku, item.quantity) for item in order.items
        ]
        expected = {name.lower().replace("_", ""): text for name, text in asdict(order.address).items() if text}
        assert {name.lower(): text for name, text in actual["address"].items()} == expected
    assert not received


if __name__ == "__main__":
    sys.exit(main())
