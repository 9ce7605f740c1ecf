"""Send the same orders to the same warehouse with the portal, with RQ, with Celery, and with DBOS.

Run it with ``python -m benchmarks.peers``. Each reads the store's pages, keeps the orders in PostgreSQL, claims each
one there before it is posted, and records the answer. The peers read and enqueue with the bare loop's code, and have
one job or task for each order; their packages are in a virtual environment of their own, which is made at the first
run. Time is from the first request to the last recorded answer, with the workers already running. CPU is that of the
workers, and for the peers that of reading and keeping as well. 20 orders are sent before anything is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from sqlalchemy import make_url

from benchmarks.baseline import CREDENTIALS, requests_to_send
from benchmarks.fixtures import database, fill, place
from benchmarks.processes import cpu_seconds, memory_mb
from benchmarks.results import FOLDER, ROOT, Report, parser
from benchmarks.running_portal import running_portal
from embedded import postgres, redis
from embedded.process import launch, session_members
from portal.clients.fcp import submission_xml
from portal.models import OrderState, Store
from portal.queue import Call, JobName, wake
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Sandbox

HERE = Path(__file__).resolve().parent
AT_ONCE = 8
"""How many orders each side sends at once."""
WORKERS = {
    "RQ, a job per order": (
        ["rq", "worker-pool", "--num-workers", str(AT_ONCE), "--worker-class", "rq.SimpleWorker", "peers"],
        "benchmarks.peers.rq_jobs",
    ),
    "Celery, a task per order": (
        [
            "celery",
            "--app",
            "benchmarks.peers.celery_tasks",
            "worker",
            "--pool",
            "threads",
            "--concurrency",
            str(AT_ONCE),
        ],
        "benchmarks.peers.celery_tasks",
    ),
    "DBOS, a durable workflow per order": (
        ["python", "-m", "benchmarks.peers.dbos_workflows", "work"],
        "benchmarks.peers.dbos_workflows",
    ),
}
LEAST_TIMES, MOST_CPU, MOST_MEMORY = 3.0, 0.5, 1 / 3
PATIENCE = 120.0
WARM_UP = 20


class Measured(NamedTuple):
    """Orders per second, CPU milliseconds per order, and megabytes of all processes at the end."""

    rate: float
    cpu: float
    memory: float


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=500, help="orders of a run (default: 500)")
    arguments.add_argument("--latency", type=int, nargs="+", default=[0, 50], help="milliseconds per answer")
    options = arguments.parse_args()
    report = Report("peers", options)
    programs = virtual_environment()
    with running_sandbox() as sandbox, postgres.start() as server:
        for latency in options.latency:
            ours = portal(sandbox, server, options.orders, latency)
            _add(report, "this portal", latency, ours, ours)
            for name in WORKERS:
                _add(report, name, latency, peer(name, programs, sandbox, server, options.orders, latency), ours)
    return report.finish()


def _add(report: Report, name: str, latency: int, found: Measured, ours: Measured) -> None:
    rate, cpu, memory = ours.rate / found.rate, ours.cpu / found.cpu, ours.memory / found.memory
    report.row(
        latency_ms=latency,
        sender=name,
        per_s=found.rate,
        cpu_ms=found.cpu,
        memory_mb=found.memory,
        portal_times_as_fast=rate,
        portal_cpu_share=cpu,
        portal_memory_share=memory,
    )
    if found is not ours:
        report.goal(f"{latency} ms: speed beside {name}", rate, at_least=LEAST_TIMES)
        report.goal(f"{latency} ms: CPU beside {name}", cpu, at_most=MOST_CPU)
        report.goal(f"{latency} ms: memory beside {name}", memory, at_most=MOST_MEMORY)


def portal(sandbox: Sandbox, server: str, orders: int, latency: int) -> Measured:
    with running_portal(sandbox, server, merchants=1, workers=1, schedules=0) as running:
        store = running.session.query(Store).one()
        running.session.commit()
        worker = running.programs[0].pid
        for number in (WARM_UP, orders):
            there = running.count(OrderState.SUBMITTED)
            place(sandbox, number)
            slow(sandbox, latency)
            store.next_poll_at = running.clock.now()
            running.session.commit()
            cpu, began = cpu_seconds(worker), time.perf_counter()
            wake(running.connection, [Call(JobName.POLL, (store.id,))])
            running.until_submitted(there + number)
            seconds = time.perf_counter() - began
            running.until_idle()
        used = cpu_seconds(worker) - cpu
        return Measured(orders / seconds, used / orders * 1000, memory_of(worker))


def peer(name: str, programs: Path, sandbox: Sandbox, server: str, orders: int, latency: int) -> Measured:
    worker, enqueuer = WORKERS[name]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="portal-benchmark-")))
        redis_url = stack.enter_context(redis.start(folder))
        url = make_url(stack.enter_context(database(server))).set(drivername="postgresql")
        target = url.render_as_string(hide_password=False)
        connection = stack.enter_context(psycopg.connect(target, autocommit=True))
        connection.execute("CREATE TABLE outbox (number text PRIMARY KEY, body text, state text, answer text)")
        environ = {
            **os.environ,
            "PEERS_DATABASE": target,
            "PEERS_REDIS": redis_url,
            "PEERS_URL": f"{sandbox.fcp_api_url}/orders/",
            "RQ_REDIS_URL": redis_url,
            "PYTHONPATH": str(ROOT),
        }
        program = stack.enter_context(started([str(programs / worker[0]), *worker[1:]], environ, folder))
        for number in (WARM_UP, orders):
            fill(sandbox, number)
            slow(sandbox, latency)
            connection.execute("TRUNCATE outbox")
            cpu, began = cpu_seconds(program) + time.process_time(), time.perf_counter()
            numbers = read(sandbox, connection)
            enqueue = subprocess.Popen(
                [str(programs / "python"), "-m", enqueuer], env=environ, stdin=subprocess.PIPE, text=True
            )
            enqueue.communicate("\n".join(numbers))
            own = time.process_time()
            wait_until_sent(connection, number)
            seconds = time.perf_counter() - began
        used = cpu_seconds(program) + own - cpu
        return Measured(orders / seconds, used / orders * 1000, memory_of(program))


def read(sandbox: Sandbox, connection: psycopg.Connection) -> list[str]:
    """Keep the store's orders in the outbox, as a page of a program would, and return their numbers."""
    rows = [(order.order_number, submission_xml(order, CREDENTIALS).decode()) for order in requests_to_send(sandbox)]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO outbox VALUES (%s, %s, 'ready', '') ON CONFLICT DO NOTHING", rows)
    return [number for number, _ in rows]


def count_sent(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT count(*) FROM outbox WHERE state = 'sent'").fetchone()
    return int(found[0]) if found else 0


def slow(sandbox: Sandbox, latency: int) -> None:
    sandbox.clear_faults()
    if latency:
        sandbox.fault("submit", "latency", seconds=latency / 1000, times=None)


def wait_until_sent(connection: psycopg.Connection, orders: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while count_sent(connection) < orders:
        assert time.monotonic() < deadline, f"{count_sent(connection)} of {orders} orders were sent."
        time.sleep(0.02)  # other processes send them, without a signal


def memory_of(session: int) -> float:
    return sum(map(memory_mb, session_members(session)))


@contextmanager
def started(command: list[str], environ: dict[str, str], folder: Path) -> Iterator[int]:
    with (folder / "peer.log").open("wb") as output:
        program = launch(command, output=output, folder=ROOT, environ=environ)
    try:
        yield program.pid
    finally:
        program.terminate()
        program.wait(30)


def virtual_environment() -> Path:
    """Return the folder with the peers' programs; install them if they aren't there."""
    home = FOLDER / "peers"
    pinned = (HERE / "requirements.txt").read_text()
    ready = home / "ready"
    if not (ready.exists() and ready.read_text() == pinned):
        subprocess.run([sys.executable, "-m", "venv", home], check=True, cwd=ROOT)
        install = [f"{home}/bin/pip", "install", "--quiet", "--requirement", f"{HERE}/requirements.txt"]
        subprocess.run(install, check=True, cwd=ROOT)
        ready.write_text(pinned)
    return home / "bin"


if __name__ == "__main__":
    sys.exit(main())
