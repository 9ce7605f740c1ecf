"""The portal as it runs in production, workers and schedule as processes, with a clock that a benchmark moves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from benchmarks.fixtures import MERCHANT, connect, database, environ_for, fill, place, session_on, settings_for
from benchmarks.moved_clock import ROOT
from embedded import redis
from embedded.process import launch, send, session_members
from portal.models import Merchant, Order, OrderState, Store
from portal.queue import Call, JobName, open_queue, wake
from portal.queue import connect as connect_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis
    from sqlalchemy.orm import Session

    from sandbox.client import Sandbox

CONCURRENCY = 8
TICK_SECONDS = 5
"""How often the schedule ticks. The clock moves in steps of this length, so that no tick is left out."""
PATIENCE = 240.0
"""Seconds after which a benchmark gives up waiting."""


class Clock:
    """The clock of the portal's processes: the machine's, plus the seconds in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._moves: list[tuple[float, float]] = []
        self.move(0)

    def move(self, seconds: float) -> None:
        ahead = seconds + (self._moves[-1][1] if self._moves else 0)
        self._moves.append((time.time(), ahead))
        written = self.file.with_suffix(".new")
        written.write_text(str(ahead))
        written.replace(self.file)

    def at(self, real: float) -> float:
        """Return what this clock showed at a time of the machine's clock, both in seconds since the epoch."""
        return real + next(ahead for at, ahead in reversed(self._moves) if at <= real)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at(time.time()), UTC)


@dataclass
class RunningPortal:
    """Merchants with their stores, and the processes that work for them."""

    sandbox: Sandbox
    session: Session
    redis_url: str
    connection: Redis
    clock: Clock
    merchants: int
    folder: Path
    environ: dict[str, str]
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, module: str) -> None:
        command = [sys.executable, "-m", "benchmarks.moved_clock", str(self.clock.file), module]
        command += [str(self.sandbox.certificate)] if self.sandbox.certificate else []
        log = self.folder / f"{module}-{len(self.programs)}.log"
        with log.open("wb") as output:
            self.programs.append(launch(command, output=output, folder=ROOT, environ=self.environ))

    def stop(self) -> None:
        for program in self.programs:
            program.terminate()
        for program in self.programs:
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                for pid in session_members(program.pid):
                    send(pid, signal.SIGKILL)
                program.wait()

    def warnings(self) -> str:
        """Return the warnings and errors of all processes."""
        lines = [line for log in sorted(self.folder.glob("*.log")) for line in log.read_text("utf-8").splitlines()]
        return "\n".join(line for line in lines if " INFO " not in line)

    # Orders

    def prepare(self, orders: int) -> list[str]:
        """Place orders and wait until they are ready to send, without sending them yet. Return their numbers."""
        now = self.clock.now()
        self.session.execute(update(Merchant).values(fcp_after=now + timedelta(days=1)))
        self.session.commit()
        numbers = place(self.sandbox, orders, merchants=self.merchants)
        self.session.execute(update(Store).values(next_poll_at=now))
        self.session.commit()
        self.until(lambda: self.count(OrderState.READY) == orders, f"{orders} orders are ready to send")
        self.until_idle()
        return numbers

    def send(self) -> None:
        """Let the workers send everything that is ready, as they do at the end of a sync."""
        self.session.execute(update(Merchant).values(fcp_after=None))
        self.session.commit()
        wake(self.connection, [Call(JobName.SUBMIT, (MERCHANT + nth,)) for nth in range(self.merchants)])

    def count(self, *states: OrderState) -> int:
        number = self.session.scalar(select(func.count()).where(Order.state.in_(states)))
        self.session.commit()
        return number or 0

    def until_submitted(self, orders: int) -> float:
        """Wait until this many orders are at the warehouse. Return the seconds that it took."""
        began = time.monotonic()
        self.until(lambda: self.count(OrderState.SUBMITTED) == orders, f"{orders} orders are at the warehouse")
        return time.monotonic() - began

    # Time

    def until(self, condition: Callable[[], bool], what: str, *, pause: float = 0.05) -> None:
        """Wait for the condition. Raises AssertionError after PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = [program.args for program in self.programs if program.poll() is not None]
            assert not ended, f"{ended} ended.\n{self.warnings()[-6000:]}"
            assert time.monotonic() < deadline, f"Not after {PATIENCE:.0f} s: {what}.\n{self.warnings()[-6000:]}"
            time.sleep(pause)  # the condition is asked of other processes, which send no signal

    def until_idle(self) -> None:
        """Wait until no job is waiting or running."""
        queue = open_queue(self.connection)
        running = queue.started_job_registry

        def is_idle() -> bool:
            return not queue.count and not running.get_job_count(cleanup=False)

        self.until(is_idle, "the workers are idle", pause=0.01)

    def move_to(self, then: float) -> None:
        """Move the clock to this time, in seconds since the epoch, with a tick every five seconds of its time.

        It moves only while no job is running, so that no lease expires for that reason.
        """
        while (left := then - self.clock.at(time.time())) > 0:
            self.until_idle()
            self.clock.move(min(left, TICK_SECONDS))
            wake(self.connection, [Call(JobName.TICK)])
        self.until_idle()


@contextmanager
def running_portal(
    sandbox: Sandbox, server: str | None, *, merchants: int, workers: int, schedules: int = 1
) -> Iterator[RunningPortal]:
    """Start Redis, workers, and a schedule on an empty database; stop them, and remove every file, at the end.

    ``server`` is a PostgreSQL server; None means SQLite. Each merchant has a store without orders.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="portal-benchmark-")))
        redis_url = stack.enter_context(redis.start(folder))
        url = stack.enter_context(database(server))
        session = stack.enter_context(session_on(url))
        connection = stack.enter_context(connect_redis(redis_url))
        fill(sandbox, 0, merchants=merchants)
        settings = settings_for(sandbox, url, CONCURRENCY)
        for nth in range(merchants):
            connect(session, settings, nth=nth)
        session.commit()
        own = {"REDIS_URL": redis_url, "MAIL_URL": f"file://{folder / 'mail'}", "LOG_FORMAT": "text"}
        environ = {**os.environ, **environ_for(sandbox, url, CONCURRENCY), **own}
        clock = Clock(folder / "ahead")
        portal = RunningPortal(sandbox, session, redis_url, connection, clock, merchants, folder, environ)
        stack.callback(portal.stop)
        for module in (*["jobs.worker"] * workers, *["jobs.schedule"] * schedules):
            portal.start(module)
        yield portal
