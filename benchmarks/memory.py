"""Measure the memory of the portal's processes, at their start and after many orders, and the time of their imports.

Run it with ``python -m benchmarks.memory``. Web, worker, schedule, watch, Redis, and the database are real. Memory is
the proportional set size: what a process shares with others counts by its share. The first tenth of the orders is
warm-up. ``--orders 50000`` takes a while.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from sqlalchemy import update

from benchmarks.fixtures import place
from benchmarks.processes import memory_mb
from benchmarks.results import ROOT, Report, parser
from benchmarks.running_portal import RunningPortal, running_portal
from embedded.process import launch, session_members
from embedded.redis import free_port
from portal.models import OrderState, Store
from portal.queue import Call, JobName, wake
from sandbox.client import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_GROWTH = 1.1
BATCH = 1_000
MODULES = {"worker": "jobs.worker", "schedule": "jobs.schedule", "watch": "jobs.watch", "web": "wsgi"}


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=5_000, help="orders to send (default: 5000)")
    options = arguments.parse_args()
    report = Report("memory", options)
    with (
        running_sandbox() as sandbox,
        running_portal(sandbox, None, merchants=1, workers=1) as portal,
        web(portal) as (program, url),
    ):
        portal.start("jobs.watch")
        sessions = dict(zip(MODULES, (*(started.pid for started in portal.programs), program.pid), strict=True))
        peak = Peak(sessions["worker"])
        portal.until_idle()
        requests.get(url, timeout=20)
        at_start = memory(sessions)
        send(portal, url, max(options.orders // 10, 1))
        warm = memory(sessions)
        send(portal, url, options.orders)
        after = memory(sessions)
        horse, environ = peak.stop(), portal.environ
    for name in sessions:
        report.row(
            process=name,
            at_start_mb=at_start[name],
            warm_mb=warm[name],
            after_mb=after[name],
            ratio=after[name] / warm[name],
        )
        report.goal(f"memory of {name} beside that after warm-up", after[name] / warm[name], at_most=MAX_GROWTH)
    report.row(process="a worker's fork, at most", after_mb=horse)
    for name, module in MODULES.items():
        report.row(process=f"imports of {name}", cpu_s=import_seconds(module, environ))
    return report.finish()


class Peak:
    """The most memory that a fork of the worker had, looked at 20 times a second."""

    def __init__(self, worker: int) -> None:
        self._worker, self._most, self._stopped = worker, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stopped.wait(0.05):
            for pid in session_members(self._worker):
                if pid != self._worker:
                    self._most = max(self._most, memory_mb(pid))

    def stop(self) -> float:
        self._stopped.set()
        self._thread.join()
        return self._most


def memory(sessions: dict[str, int]) -> dict[str, float]:
    """Return the megabytes of each program, all its processes together."""
    return {name: sum(map(memory_mb, session_members(session))) for name, session in sessions.items()}


def send(portal: RunningPortal, url: str, orders: int) -> None:
    """Place and send this many orders, in batches, and look at a page after each."""
    there = portal.count(OrderState.SUBMITTED)
    for start in range(0, orders, BATCH):
        place(portal.sandbox, min(BATCH, orders - start))
        portal.session.execute(update(Store).values(next_poll_at=portal.clock.now()))
        portal.session.commit()
        wake(portal.connection, [Call(JobName.TICK)])
        portal.until_submitted(there + min(start + BATCH, orders))
        requests.get(url, timeout=20)
    portal.until_idle()


@contextmanager
def web(portal: RunningPortal) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve the pages as in production, and yield the program and the address of a page."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--threads", "4", "-b", f"127.0.0.1:{port}"]
    with (portal.folder / "web.log").open("wb") as output:
        program = launch([*command, "wsgi:app"], output=output, folder=ROOT, environ=portal.environ)
    url = f"http://127.0.0.1:{port}/log-in"
    try:
        portal.until(lambda: answers(url), "the pages are served")
        yield program, url
    finally:
        program.terminate()
        program.wait(30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=20).ok
    except requests.RequestException:
        return False


def import_seconds(module: str, environ: dict[str, str]) -> float:
    """Return the least CPU seconds of three fresh interpreters that import the module."""
    code = f"import importlib, time; importlib.import_module({module!r}); print(time.process_time())"
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout))
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
