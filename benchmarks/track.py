"""Measure a tracking run: what it costs to ask about an order that is still open, and to record one that was shipped.

Run it with ``python -m benchmarks.track``. The bare comparison posts the same status requests, of 100 orders each, and
parses the answers, with a kept connection. The sandbox has a process of its own. Old orders are asked about less often:
the last rows are those of runs five minutes apart, in which only some are asked about.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

import requests
from sqlalchemy import update

from benchmarks.baseline import CREDENTIALS
from benchmarks.fixtures import MERCHANT, connect, database, fill, session_on, settings_for
from benchmarks.idle_poll import counted_sql
from benchmarks.results import Report, parser
from portal.clients.fcp_documents import status_xml
from portal.fulfillment.poll.run import poll_store
from portal.fulfillment.run_context import RunContext
from portal.fulfillment.submit.run import submit_merchant
from portal.fulfillment.track.run import track_merchant
from portal.models import Merchant, Order
from portal.rules.asking import HOURLY_FOR, OFTEN_FOR
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from config import Settings
    from sandbox.client import Sandbox

STATUS = "POST /xml/status/"
ORDERS_PER_CALL = 100
MAX_CALLS_PER_ORDER = 1.05 / ORDERS_PER_CALL


class Cost(NamedTuple):
    """CPU milliseconds, statements, and status calls of one run."""

    cpu: float
    statements: int
    calls: int


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=2_000, help="orders at the warehouse (default: 2000)")
    options = arguments.parse_args()
    report = Report("track", options)
    with running_sandbox() as sandbox, database(None) as url, session_on(url) as session:
        fill(sandbox, options.orders)
        settings = settings_for(sandbox, url, concurrency=8)
        store_id = connect(session, settings)
        poll_store(session, store_id, settings)
        submit_merchant(session, MERCHANT, settings)
        measure(report, sandbox, session, settings, options.orders)
    return report.finish()


def measure(report: Report, sandbox: Sandbox, session: Session, settings: Settings, orders: int) -> None:
    def track(minutes: float) -> Cost:
        context = RunContext(clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
        return cost_of(sandbox, session, lambda: track_merchant(session, MERCHANT, settings, context))

    def add(name: str, cost: Cost) -> None:
        report.row(
            orders=name,
            number=orders,
            floor_ms=floor,
            cpu_ms=cost.cpu / orders,
            ratio=cost.cpu / orders / floor,
            statements=cost.statements / orders,
            calls=cost.calls,
        )

    numbers = [number for (number,) in session.query(Order.number)]
    session.commit()
    track(1)  # the first run saves the status of each order
    floor = bare_calls(sandbox, settings, numbers) / orders
    still_open = track(6)
    add("open", still_open)
    report.goal("status calls per open order", still_open.calls / orders, at_most=max(MAX_CALLS_PER_ORDER, 1 / orders))
    for name, age in (("open for 4 days, five minutes later", OFTEN_FOR), ("open for 15 days, likewise", HOURLY_FOR)):
        spread(session, numbers, age + timedelta(days=1))
        add(name, track(11))
    sandbox.ship_all()
    session.execute(update(Order).values(state_changed_at=datetime.now(UTC)))
    session.commit()
    add("shipped, and marked in Big Cartel", track(16))


def cost_of(sandbox: Sandbox, session: Session, run: Callable[[], object]) -> Cost:
    sandbox.clear_calls()
    with counted_sql(session) as sql:
        began = time.process_time()
        run()
        cpu = (time.process_time() - began) * 1000
    return Cost(cpu, sql["statements"], sandbox.calls("fcp").get(STATUS, 0))


def spread(session: Session, numbers: list[str], age: timedelta) -> None:
    """Give the orders this age, spread over a day, and the last run the time five minutes before the next."""
    now = datetime.now(UTC)
    for nth, number in enumerate(numbers):
        sent = now - age - timedelta(days=nth / len(numbers))
        session.execute(update(Order).where(Order.number == number).values(state_changed_at=sent))
    session.execute(update(Merchant).values(last_tracked_at=now + timedelta(minutes=6)))
    session.commit()


def bare_calls(sandbox: Sandbox, settings: Settings, numbers: list[str]) -> float:
    """Return the CPU milliseconds of status calls about all orders, 100 in a call, with the answers parsed."""
    bodies = [
        status_xml(numbers[start : start + ORDERS_PER_CALL], CREDENTIALS)
        for start in range(0, len(numbers), ORDERS_PER_CALL)
    ]
    with requests.Session() as session:
        session.trust_env = False
        began = time.process_time()
        for body in bodies:
            answer = session.post(f"{sandbox.fcp_api_url}/{settings.fcp_status_path}/", data=body, timeout=20)
            assert len(ET.fromstring(answer.content)) > 0, answer.text  # noqa: S314 - the sandbox's answer
        return (time.process_time() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
