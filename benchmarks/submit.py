"""How fast orders go from the shop to the warehouse, beside a bare loop that stores and decides nothing.

Run it with ``python -m benchmarks.submit``. The product polls the store and submits for the merchant exactly as the
jobs do, until every outcome is committed; the floor (``benchmarks.floor``) reads the same pages and posts the same XML.
Both run by turns in this process; the sandbox and PostgreSQL run in processes of their own, so that the CPU times are
those of the measured side alone, without the database server's. After each run the product's orders, attempts and what
the warehouse received are compared with what the floor would have sent.

Other work on the machine slows both sides: compare the ratios of one run, not the numbers of two.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, func, select, text

from benchmarks import floor
from benchmarks.shop import MERCHANT, MERCHANT_TOKEN, connect, database, fill, session_on, settings_for
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
    """Latency of the warehouse in seconds, calls at once, and the share of the floor's speed that is aimed at."""

    latency: float
    concurrency: int
    aim: float

    def __str__(self) -> str:
        return f"{self.latency * 1000:.0f} ms, {self.concurrency} at once"


SETTINGS = (Setting(0.05, 32, 0.9), Setting(0.0, 8, 0.7))


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: orders per second, and milliseconds of CPU per order."""

    rate: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure submitting against a bare loop.")
    parser.add_argument("--orders", type=int, default=2_000, help="how many orders each run submits (2000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs; medians are printed (3)")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox())
        server = stack.enter_context(postgres.start())
        print(f"{arguments.orders} orders, {arguments.rounds} runs of each side by turns, medians. {_about(server)}\n")
        print(
            f"{'warehouse':<19}{'database':<12}{'floor/s':>9}{'product/s':>11}{'ratio':>7}{'(runs)':>13}{'aim':>6}"
            f"{'floor CPU ms':>14}{'product CPU ms':>16}"
        )
        for setting in SETTINGS:
            for name, where in (("SQLite", None), ("PostgreSQL", server)):
                pairs = [_pair(sandbox, where, setting, arguments.orders) for _ in range(arguments.rounds)]
                print(_line(setting, name, pairs), flush=True)


def _about(server: str) -> str:
    with create_engine(server).connect() as connection:
        version, fsync = (connection.scalar(text(f"SHOW {name}")) for name in ("server_version", "fsync"))
    return f"SQLite syncs at each commit; PostgreSQL {version} runs with fsync {fsync}."


def _line(setting: Setting, name: str, pairs: list[tuple[Measured, Measured]]) -> str:
    base, product = (
        Measured(median(one.rate for one in side), median(one.cpu for one in side)) for side in zip(*pairs, strict=True)
    )
    ratios = [mine.rate / bare.rate for bare, mine in pairs]
    spread = f"({min(ratios):.2f}-{max(ratios):.2f})"
    return (
        f"{setting!s:<19}{name:<12}{base.rate:>9,.0f}{product.rate:>11,.0f}{product.rate / base.rate:>7.2f}{spread:>13}"
        f"{setting.aim:>6}{base.cpu:>14.2f}{product.cpu:>16.2f}"
    )


def _pair(sandbox: Sandbox, server: str | None, setting: Setting, orders: int) -> tuple[Measured, Measured]:
    _prepare(sandbox, setting, orders)
    taken = 0

    def run_floor() -> None:
        nonlocal taken
        taken = floor.run(sandbox, setting.concurrency)

    bare = _measure(run_floor, orders)
    assert taken == orders, f"The floor brought {taken} of {orders} orders to the warehouse."
    calls = sandbox.calls()
    _prepare(sandbox, setting, orders)
    with database(server) as url, session_on(url) as session:
        settings = settings_for(sandbox, url, setting.concurrency)
        store_id = connect(session, settings)

        def run_product() -> None:
            poll_store(session, store_id, settings)
            submit_merchant(session, MERCHANT, settings)

        mine = _measure(run_product, orders)
        assert sandbox.calls() == calls, "The product and the floor made different calls."
        _check(session, sandbox, orders)
    return bare, mine


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
    """Every order once at the warehouse, as the floor would have sent it, with its outcome and attempt committed."""
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
    for order in floor.requests_to_send(sandbox):
        mine = received.pop(order.order_number)
        assert mine["accepted"] == 1
        assert mine["shipping_method"] == order.shipping_method
        assert [(item["sku"], item["quantity"]) for item in mine["items"]] == [
            (item.sku, item.quantity) for item in order.items
        ]
        said = {name.lower().replace("_", ""): text for name, text in asdict(order.address).items() if text}
        assert {name.lower(): text for name, text in mine["address"].items()} == said
    assert not received


if __name__ == "__main__":
    main()
