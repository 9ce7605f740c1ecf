"""A portal whose jobs run in real processes, with a real Redis and the sandbox."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import deque
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from embedded.process import launch, send, session_members
from portal.models import Attempt, AttemptOutcome, Order
from portal.queue import Call, JobName, connect, wake_if_possible
from tests.embedded.processes import eventually
from tests.jobs.driver import OPEN_TRANSACTION, STOPPED, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from redis import Redis

    from config import Settings
    from tests.fulfillment.world import World

ROOT = Path(__file__).resolve().parent.parent.parent
TICK_EVERY = 0.25
UNHARMED = Plan()


def environ(settings: Settings) -> dict[str, str]:
    """Return the environment variables of a process with these settings."""
    return {
        "SECRET_KEY": settings.secret_key,
        "TOKEN_KEYS": ",".join(settings.token_keys),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BIGCARTEL_API_URL": settings.bigcartel_api_url,
        "FCP_API_URL": settings.fcp_api_url,
        "FCP_CONCURRENCY": str(settings.fcp_concurrency),
        "FCP_CALLS_AT_ONCE": str(settings.fcp_calls_at_once),
        "BIGCARTEL_CALLS_AT_ONCE": str(settings.bigcartel_calls_at_once),
        "POLL_SECONDS": str(settings.poll_seconds),
        "TRACK_SECONDS": str(settings.track_seconds),
    }


@dataclass
class Program:
    """A worker or schedule process. A worker's work horses run in its session."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def horses(self) -> list[int]:
        return [pid for pid in session_members(self.pid) if pid != self.pid]

    def suspend(self) -> None:
        for pid in (*self.horses(), self.pid):
            send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in (*self.horses(), self.pid):
            send(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the worker and its work horse with SIGKILL."""
        self.kill_worker_alone()
        for pid in self.horses():
            send(pid, signal.SIGKILL)
        eventually(lambda: not self.horses(), "the work horse is dead")

    def kill_worker_alone(self) -> None:
        if self.alive:
            self.process.kill()
        self.process.wait(10)

    def wait_until_dead(self, seconds: float = 15) -> int:
        eventually(
            lambda: not self.alive and not self.horses(),
            f"the worker exits; its output:\n{self.output()}",
            seconds=seconds,
        )
        return self.process.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")


class SpareWorkers:
    """Workers with short waiting times that have imported everything and wait for their instructions."""

    SPARE = 3

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spare: deque[Program] = deque()
        self._count = 0
        self._fill()

    def _fill(self) -> None:
        while len(self._spare) < self.SPARE:
            self._count += 1
            log = self._folder / f"{self._count}.log"
            self._spare.append(launched("tests.jobs.driver", log=log, stdin=subprocess.PIPE))

    def start(self, settings: Settings, plan: Plan) -> Program:
        worker = self._spare.popleft()
        assert worker.process.stdin is not None
        instructions = {"environ": environ(settings), "plan": asdict(plan)}
        with worker.process.stdin as stdin:
            stdin.write(json.dumps(instructions).encode() + b"\n")
        self._fill()
        return worker

    def close(self) -> None:
        for worker in self._spare:
            assert worker.process.stdin is not None
            worker.process.stdin.close()
            worker.kill()


def launched(
    *arguments: str,
    log: Path,
    settings: Settings | None = None,
    stdin: int = subprocess.DEVNULL,
    folder: Path = ROOT,
) -> Program:
    given = {**os.environ, **(environ(settings) if settings else {})}
    with log.open("wb") as output:
        command = [sys.executable, "-m", *arguments]
        return Program(launch(command, output=output, folder=folder, environ=given, stdin=stdin), log)


@dataclass
class Site:
    """The World of the flow tests, plus the processes of the portal."""

    world: World
    spare_workers: SpareWorkers
    folder: Path
    programs: list[Program] = field(default_factory=list)
    supervised: bool = False
    """Whether a worker that has exited is replaced at the next tick."""

    @property
    def redis(self) -> Redis:
        return connect(self.world.settings.redis_url)

    # Processes

    def start(self, module: str, *, version: Path = ROOT) -> Program:
        """Start a program of the version of the portal in this folder."""
        log = self.folder / f"{len(self.programs)}-{module}.log"
        self.programs.append(launched(module, log=log, settings=self.world.settings, folder=version))
        return self.programs[-1]

    def start_worker(self, plan: Plan = UNHARMED) -> Program:
        """Start a worker with short waiting times, which dies where the plan says."""
        self.programs.append(self.spare_workers.start(self.world.settings, plan))
        return self.programs[-1]

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.kill()

    @contextmanager
    def frozen_at(self, step: str, *, in_a_transaction: bool = False) -> Iterator[Program]:
        """Start a worker, tick until it reaches the step, and suspend it and its work horse for the block.

        Unless ``in_a_transaction``, it is suspended while none of its threads has a transaction open. At the end of the
        block, wait until the work horse has ended; the worker goes on.
        """
        file = self.folder / uuid.uuid4().hex
        worker = self.start_worker(Plan(stops_at=step, goes_on_with=str(file)))
        self.until(lambda: STOPPED in worker.output(), f"the worker reaches the step: {step}")
        if in_a_transaction:
            worker.suspend()
        else:
            self.suspend(worker)
        (horse,) = worker.horses()
        yield worker
        file.touch()
        worker.resume()
        eventually(lambda: horse not in worker.horses(), f"the work horse ends; its output:\n{worker.output()}")
        assert worker.alive

    def suspend(self, worker: Program) -> None:
        """Suspend the worker and its work horse, but not inside a transaction, which would block all others."""

        def is_suspended() -> bool:
            worker.suspend()
            if self._is_transaction_open():
                worker.resume()
                return False
            return True

        eventually(is_suspended, "the worker is suspended")

    def _is_transaction_open(self) -> bool:
        """Return whether any process has a transaction open."""
        if self.world.engine.dialect.name == "sqlite":
            file = self.world.engine.url.database or ""
            with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    return True
            return False
        others = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        with self.world.engine.connect() as connection:
            return bool(connection.scalar(text(others)))

    # Work

    def tick(self) -> None:
        """Enqueue a tick, as the schedule does every five seconds, and replace a worker that has exited."""
        if self.supervised and not self.programs[-1].alive:
            self.start_worker()
        with self.redis as connection:
            wake_if_possible(connection, [Call(JobName.TICK)])

    def until(self, condition: Callable[[], object], what: str, *, seconds: float = 25) -> None:
        """Tick until the condition holds. Raises AssertionError with the workers' output after ``seconds``."""
        ticks = _every(TICK_EVERY, self.tick)

        def ticked() -> object:
            next(ticks)
            return condition()

        try:
            eventually(ticked, what, seconds=seconds)
        except AssertionError as error:
            outputs = "\n".join(f"--- {program.log.name}\n{program.output()[-6000:]}" for program in self.programs)
            raise AssertionError(f"{error}\n{self.world.states()}\n{outputs}") from None

    def until_in_state(self, numbers: Sequence[str], *states: str, seconds: float = 25) -> None:
        def there() -> bool:
            known = self.world.states()
            return all(known.get(number) in states for number in numbers)

        self.until(there, f"every order is {' or '.join(states)}", seconds=seconds)

    def run_to_completion(self, numbers: Sequence[str]) -> None:
        """Tick until every order is sent, shipped and marked in Big Cartel, and check that each step happened once."""
        self.until_in_state(numbers, "submitted", "shipped", "completed")
        self.world.sandbox.ship_all()
        self.until_in_state(numbers, "completed")
        self.assert_once(numbers)

    def assert_once(self, numbers: Sequence[str]) -> None:
        sandbox = self.world.sandbox
        once = dict.fromkeys(numbers, 1)
        assert sandbox.accepted() == once
        assert sandbox.posted() == once
        assert sandbox.patches() == once
        assert set(sandbox.shipping_statuses().values()) == {"shipped"}
        with self.world.session() as session:
            open_attempts = select(Order.number).join(Attempt, Attempt.order_id == Order.id)
            assert session.scalars(open_attempts.where(Attempt.outcome == AttemptOutcome.OPEN)).all() == []


def _every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    due = 0.0
    while True:
        if time.monotonic() >= due:
            act()
            due = time.monotonic() + seconds
        yield


@contextmanager
def site(world: World, spare_workers: SpareWorkers, folder: Path) -> Iterator[Site]:
    made = Site(world, spare_workers, folder)
    try:
        yield made
    finally:
        made.stop()
    assert OPEN_TRANSACTION not in "".join(program.output() for program in made.programs)
