"""Run the portal on several hosts, cut one off in the middle of sending, and show that every order arrives once.

Run it with ``python -m benchmarks.many_machines``. It takes about four minutes, and needs root or a kernel that lets
users create namespaces. The hosts are network namespaces on one switch: one has PostgreSQL and Redis, two have a worker
and a schedule each, one has the web server, and one has the stand-ins of Big Cartel and the warehouse. The warehouse
here accepts a number that it already has as another order, so nothing but the portal keeps an order from being sent
twice.

One worker's host loses its network while the worker is sending, for longer than its leases last. What it had just sent
may still be on its way, and its programs go on: they must save and send nothing when the network is back. A program
that exits is started again, as systemd does.

The goals: no order is lost, none is sent twice, the other worker takes over soon after the leases have expired, the
two schedules queue no work twice, and every page is right meanwhile.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from benchmarks.fixtures import MERCHANT, connect, database, environ_for, fill, session_on, settings_for
from benchmarks.hosts import Host, HostsError, add_host, on_a_switch
from benchmarks.results import ROOT, Report, parser
from embedded import postgres, redis
from embedded.process import launch, send, session_members
from portal.engine.leases import LEASE
from portal.models import Merchant, Order, OrderState
from portal.queue import connect as connect_redis
from portal.queue import open_queue
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from redis import Redis
    from sqlalchemy.orm import Session

    from sandbox.client import Sandbox

PATIENCE = 150.0
"""Seconds after which the trial gives up waiting."""
LATENCY = 0.05
"""Seconds that the warehouse takes for an order."""
STANDS_OUT = 5.0
"""Seconds after which a claim is the cut-off worker's: the other one records its outcomes many times a second."""
LATE_CALLS = 60.0
"""Seconds after the host is back. By then, what the kernel still had to deliver has arrived or never will."""
TICKS = 15.0
"""Seconds that the next ticks and the queue may take once a lease has expired."""
WEB_PORT = 8000


@dataclass
class Program:
    """A program on a host, started again whenever it exits."""

    host: Host
    command: list[str]
    environ: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)
    restarts: int = 0

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        with self.host.entered(), self.log.open("ab") as output:
            self.process = launch(self.command, output=output, folder=ROOT, environ=self.environ)

    def tend(self) -> None:
        if self.process.poll() is not None:
            self.restarts += 1
            self._start()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in session_members(self.process.pid):
            send(pid, signal.SIGKILL)


@dataclass
class Machines:
    """The portal on several hosts, seen from the switch."""

    sandbox: Sandbox
    session: Session
    redis: Redis
    web: Host
    programs: list[Program]
    most_waiting: int = 0
    queued_twice: Counter[str] = field(default_factory=Counter)
    pages: Counter[bool] = field(default_factory=Counter)
    """How many pages were right, and how many weren't."""

    def look(self) -> None:
        """Start what has exited, and note what waits in the queue and whether the web host answers."""
        for program in self.programs:
            program.tend()
        waiting = [job_id.rpartition("-")[0] for job_id in open_queue(self.redis).job_ids]
        self.most_waiting = max(self.most_waiting, len(waiting))
        self.queued_twice.update(key for key, count in Counter(waiting).items() if count > 1)
        self.pages[self.page_is_right()] += 1

    def page_is_right(self) -> bool:
        connection = HTTPConnection(self.web.address, WEB_PORT, timeout=5)
        try:
            connection.request("GET", "/log-in")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def until(self, condition: Callable[[], bool], what: str) -> float:
        """Look around until the condition is true. Return the seconds it took. Raises AssertionError."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() > began + PATIENCE:
                logs = "\n".join(f"--- {one.log.name}\n{one.log.read_text()[-3000:]}" for one in self.programs)
                states = select(Order.state, func.count()).group_by(Order.state)
                counts = {state.value: count for state, count in self.session.execute(states)}
                raise AssertionError(f"Not after {PATIENCE:.0f} s: {what}. The orders are {counts}.\n{logs}")
            self.look()
            time.sleep(0.2)  # the condition is asked of other processes, which send no signal
        return time.monotonic() - began

    def count(self, *states: OrderState) -> int:
        number = self.session.scalar(select(func.count()).where(Order.state.in_(states)))
        self.session.commit()
        return number or 0

    def claims(self) -> dict[str, int]:
        """Return how many orders each worker is sending, by its claim."""
        sending = select(Order.claim, func.count()).where(Order.state == OrderState.SUBMITTING).group_by(Order.claim)
        found = dict(self.session.execute(sending).all())
        self.session.commit()
        return found


def main() -> int:
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--orders", type=int, default=2_000, help="orders in all (default: 2000)")
    add("--merchants", type=int, default=4, help="merchants that the orders are spread over (default: 4)")
    add("--seconds", type=float, default=80, help="how long one host is cut off (default: 80; a lease lasts 30)")
    options = arguments.parse_args()
    try:
        on_a_switch("benchmarks.many_machines")
    except HostsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with ExitStack() as stack:
        machines = _start(stack, options.orders, options.merchants)
        return _trial(machines, Report("many_machines", options), options)


def _start(stack: ExitStack, orders: int, merchants: int) -> Machines:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="portal-machines-")))
    data, services, web = add_host("data", 10), add_host("services", 11), add_host("web", 12)
    workers = [add_host(f"worker{nth}", 20 + nth) for nth in (1, 2)]
    with data.entered():
        server = stack.enter_context(postgres.start(data.address))
        redis_url = stack.enter_context(redis.start(folder, 6379, data.address))
    with services.entered():
        sandbox = stack.enter_context(running_sandbox(address=services.address))
    url = stack.enter_context(database(server))
    session = stack.enter_context(session_on(url))
    connection = stack.enter_context(connect_redis(redis_url))
    fill(sandbox, orders, merchants=merchants)
    settings = settings_for(sandbox, url, 8)
    for nth in range(merchants):
        sandbox.put_merchant(
            str(MERCHANT + nth),
            name="Example Shop",
            token="merchant-token",
            accepts_duplicates=True,
        )
        connect(session, settings, nth=nth)
    # Hold the sending back until all orders are read.
    session.execute(update(Merchant).values(fcp_after=func.now() + func.make_interval(0, 0, 0, 1)))
    session.commit()
    own = {"REDIS_URL": redis_url, "MAIL_URL": f"file://{folder / 'mail'}", "POLL_SECONDS": "5"}
    environ = {**os.environ, **environ_for(sandbox, url, 8), **own}

    def program(name: str, host: Host, *command: str) -> Program:
        made = Program(host, [sys.executable, "-m", *command], environ, folder / f"{name}.log")
        stack.callback(made.stop)
        return made

    programs = [
        program(f"{what}{nth}", host, f"jobs.{what}")
        for nth, host in enumerate(workers, 1)
        for what in ("worker", "schedule")
    ]
    web_server = (
        "gunicorn",
        "wsgi:app",
        "--bind",
        f"{web.address}:{WEB_PORT}",
        "--threads",
        "4",
        "--log-level",
        "warning",
    )
    programs.append(program("web", web, *web_server))
    machines = Machines(sandbox, session, connection, web, programs)
    machines.until(machines.page_is_right, "the web host answers")
    machines.pages.clear()
    return machines


def _trial(machines: Machines, report: Report, options: argparse.Namespace) -> int:
    sandbox, session, orders = machines.sandbox, machines.session, options.orders
    numbers = list(sandbox.orders())
    machines.until(lambda: machines.count(OrderState.READY) == orders, "all orders are read")
    sandbox.fault("submit", "latency", seconds=LATENCY, times=None)
    session.execute(update(Merchant).values(fcp_after=None))
    session.commit()
    machines.until(lambda: machines.count(OrderState.SUBMITTED) >= orders // 4, "a quarter is sent")
    machines.until(lambda: len(machines.claims()) > 1, "both workers are sending")

    worker = machines.programs[0]
    worker.host.unplug()
    began = time.monotonic()
    sent_before, claims = len(sandbox.accepted()), machines.claims()
    machines.until(lambda: time.monotonic() > began + STANDS_OUT, "only the worker that is cut off keeps its claims")
    stranded = {claim: count for claim, count in machines.claims().items() if claim in claims}
    machines.until(lambda: not stranded.keys() & machines.claims().keys(), "the other worker takes over")
    taken_over = time.monotonic() - began
    machines.until(lambda: time.monotonic() > began + options.seconds, "the host comes back")
    worker.host.plug_in()
    machines.until(lambda: machines.count(OrderState.SUBMITTED) == orders, "all orders are at the warehouse")
    done = time.monotonic() - began
    machines.until(lambda: time.monotonic() > began + options.seconds + LATE_CALLS, "late calls have arrived")

    accepted, posted = sandbox.accepted(), sandbox.posted()
    for what, value in {
        "orders sent before a worker's host was cut off": sent_before,
        "orders that the worker had claimed and not recorded": sum(stranded.values()),
        "seconds until the other worker took over": round(taken_over, 1),
        "seconds until every order was sent": round(done, 1),
        "leases that the worker found lost": worker.log.read_text().count("lease.lost"),
        "programs started again because they exited": sum(one.restarts for one in machines.programs),
        "jobs waiting at once, at most": machines.most_waiting,
        "pages that were right": machines.pages[True],
    }.items():
        report.row(what=what, number=value)
    report.goal("orders that the worker left in doubt", sum(stranded.values()), at_least=1)
    report.goal("orders lost", len(set(numbers) - accepted.keys()), at_most=0)
    report.goal("orders sent twice", sum(count > 1 for count in accepted.values()), at_most=0)
    report.goal("requests beyond one for each order", sum(posted.values()) - orders, at_most=0)
    report.goal("seconds until the other worker took over", taken_over, at_most=LEASE.total_seconds() + TICKS)
    report.goal("work that waited twice in the queue", sum(machines.queued_twice.values()), at_most=0)
    report.goal("pages that were wrong", machines.pages[False], at_most=0)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
