"""Compare how fast the portal sends orders from the store to the warehouse with a baseline that stores nothing.

Run it with ``python -m benchmarks.submit``. The portal polls the store and submits for the merchant exactly as the jobs
do, until every outcome is committed. The baseline (``benchmarks.baseline``) reads the same pages and posts the same
XML. Both run in this process, in turn. The sandbox and PostgreSQL run in their own processes, so the CPU times exclude
them. After each run, the portal's orders and attempts and what the warehouse received are checked against what the
baseline would have sent.

Other load on the machine slows down both sides, so compare ratios within a run, not absolute numbers across runs.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, func, select, text

from benchmarks import baseline
from benchmarks.fixtures import MERCHANT, MERCHANT_TOKEN, connect, database, fill, session_on, settings_for
from embedded import postgres
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.submit.run import submit_merchant
from portal.models import Attempt, AttemptOutcome, Order, OrderState
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from sandbox.client import Sandbox


@dataclass(frozen=True, slots=True)
class Setting:
    """The warehouse's latency in seconds, the number of concurrent calls, and the target share of baseline speed."""

    latency: float
    concurrency: int
    target: float

    def __str__(self) -> str:
        return f"{self.latency * 1000:.0f} ms, {self.concurrency} concurrent"


SETTINGS = (Setting(0.05, 32, 0.9), Setting(0.0, 8, 0.7))


@dataclass(frozen=True, slots=True)
class Measured:
    """One run's orders per second (``rate``) and milliseconds of CPU time per order (``cpu``)."""

    rate: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the speed of submission with a baseline that stores nothing.")
    parser.add_argument("--orders", type=int, default=2_000, help="orders per run (default: 2000)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="runs of each side, of which the medians are printed (default: 3)"
    )
    arguments = parser.parse_args()
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox())
        server = stack.enter_context(postgres.start())
        print(
            f"Orders per run: {arguments.orders:,}. Runs of each side: {arguments.rounds} (medians). {_about(server)}\n"
        )
        print(
            f"{'warehouse':<21}{'database':<12}{'baseline/s':>10}{'portal/s':>10}{'ratio':>7}{'(range)':>13}{'target':>8}"
            f"{'baseline CPU ms':>17}{'portal CPU ms':>15}"
        )
        for setting in SETTINGS:
            for name, where in (("SQLite", None), ("PostgreSQL", server)):
                pairs = [_pair(sandbox, where, setting, arguments.orders) for _ in range(arguments.rounds)]
                print(_line(setting, name, pairs), flush=True)


def _about(server: str) -> str:
    with create_engine(server).connect() as connection:
        version, fsync = (connection.scalar(text(f"SHOW {name}")) for name in ("server_version", "fsync"))
    return f"SQLite syncs to disk at each commit. PostgreSQL {version} runs with fsync {fsync}."


def _line(setting: Setting, name: str, pairs: list[tuple[Measured, Measured]]) -> str:
    base, portal = (
        Measured(median(run.rate for run in side), median(run.cpu for run in side)) for side in zip(*pairs, strict=True)
    )
    ratios = [portal_run.rate / base_run.rate for base_run, portal_run in pairs]
    spread = f"({min(ratios):.2f}-{max(ratios):.2f})"
    return (
        f"{setting!s:<21}{name:<12}{base.rate:>10,.0f}{portal.rate:>10,.0f}{portal.rate / base.rate:>7.2f}{spread:>13}"
        f"{setting.target:>8}{base.cpu:>17.2f}{portal.cpu:>15.2f}"
    )


def _pair(sandbox: Sandbox, server: str | None, setting: Setting, orders: int) -> tuple[Measured, Measured]:
    _prepare(sandbox, setting, orders)
    accepted = 0

    def run_baseline() -> None:
        nonlocal accepted
        accepted = baseline.run(sandbox, setting.concurrency)

    base = _measure(run_baseline, orders)
    assert accepted == orders, f"The warehouse accepted {accepted} of the baseline's {orders} orders."
    calls = sandbox.calls()
    _prepare(sandbox, setting, orders)
    with database(server) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, setting.concurrency)
        store_id = connect(session, settings)

        def run_portal() -> None:
            poll_store(session, store_id, settings)
            submit_merchant(session, MERCHANT, settings)

        portal = _measure(run_portal, orders)
        assert sandbox.calls() == calls, "The portal and the baseline made different calls."
        _check(session, sandbox, orders)
    return base, portal


def _prepare(sandbox: Sandbox, setting: Setting, orders: int) -> None:
    fill(sandbox, orders)
    if setting.latency:
        sandbox.fault("submit", "latency", seconds=setting.latency, times=None)


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
    main()
