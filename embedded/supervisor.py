"""A supervisor that keeps programs running and stops them in reverse order. It knows nothing about the portal."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from embedded.process import launch, send, session_members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

GRACE = 15.0  # seconds between SIGTERM and SIGKILL
TICK = 0.1  # seconds between checks on the children
MAX_DEATHS, DEATH_WINDOW = 3, 30.0  # a program that exits this often within this many seconds stops everything
LAST_LINES = 20  # lines of a program's output that are shown when it fails


class StopRequested(Exception):  # noqa: N818 - a request, not an error
    """Ctrl-C or SIGTERM arrived, or the terminal was closed."""


class RunError(Exception):
    """The run can't continue. The text is for the person who started it."""


@dataclass
class Child:
    """A supervised program and the last lines it printed."""

    name: str
    command: Sequence[str | Path]
    shown: bool
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_DEATHS))
    restart_at: float = 0.0
    orphaned: list[int] = field(default_factory=list)  # sessions of its dead processes that still have members


@dataclass
class _Pipe:
    child: Child
    stream: IO[bytes]
    partial_line: bytes = b""


class Supervisor:
    """A context manager that stops every child on exit, the last started first.

    Single-threaded on purpose: the kernel ties each child to the thread that started it.
    """

    def __init__(self, *, folder: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.folder, self.environ, self.say = folder, environ, say
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stop_requested_at: float | None = None
        self._stopping = self._kill_now = False

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()

    def start(self, name: str, command: Sequence[str | Path], *, shown: bool = True) -> Child:
        """Start a program and keep it running. With `shown`, print its lines, prefixed with its name."""
        child = Child(name, command, shown)
        self.children.append(child)
        self._launch(child)
        return child

    def run(self, what: str, command: Sequence[str | Path], *, text: str = "") -> str:
        """Run a program to completion with `text` on its stdin and return its output.

        Raises RunError, starting with `what`, if its exit status isn't 0.
        """
        with TemporaryFile() as given, TemporaryFile() as printed:
            given.write(text.encode())
            given.seek(0)
            process = launch(command, output=printed, stdin=given, folder=self.folder, environ=self.environ)
            try:
                while process.poll() is None:
                    self._tick()
            finally:
                process.terminate()
                process.wait()
            printed.seek(0)
            output = printed.read().decode(errors="replace")
        if process.returncode:
            raise RunError(f"{what} failed. Last lines:\n{_indented(output.splitlines())}")
        return output

    def wait_until(self, condition: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Supervise until the condition is true. Raises RunError, naming `what`, after this many seconds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RunError(f"{what} didn't answer within {seconds:.0f} seconds, so everything was stopped.")
            self._tick()

    def watch(self) -> None:
        """Supervise until StopRequested or RunError."""
        while True:
            self._tick()

    def _on_signal(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._stop_requested_at is None:
            self._stop_requested_at = now
        elif number == signal.SIGINT and now > self._stop_requested_at + 1:
            self._kill_now = True  # a second Ctrl-C: don't wait for slow programs

    def _launch(self, child: Child) -> None:
        process = launch(child.command, output=subprocess.PIPE, folder=self.folder, environ=self.environ)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, _Pipe(child, process.stdout))
        child.process = process

    def _tick(self) -> None:
        """Print output for up to TICK seconds, then check every child."""
        if self._stop_requested_at is not None and not self._stopping:
            raise StopRequested
        for key, _ in self._selector.select(TICK):
            self._read(key.data)
        for child in self.children:
            self._check(child)

    def _read(self, pipe: _Pipe) -> bool:
        """Print the output that is available now. Return False if there was none."""
        try:
            data = os.read(pipe.stream.fileno(), 65_536)
        except BlockingIOError:
            return False
        *lines, pipe.partial_line = (pipe.partial_line + data).split(b"\n")
        if not data:
            self._selector.unregister(pipe.stream)
            pipe.stream.close()
            lines = [pipe.partial_line] if pipe.partial_line else []
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            pipe.child.tail.append(text)
            if pipe.child.shown:
                self.say(f"{pipe.child.name:<8} | {text}")
        return bool(data)

    def _check(self, child: Child) -> None:
        now = time.monotonic()
        child.orphaned = [session for session in child.orphaned if session_members(session)]
        if child.process is None:
            if now >= child.restart_at and not self._stopping:
                self._launch(child)
            return
        status = child.process.poll()
        if status is None:
            return
        self._drain(child)
        child.orphaned.append(child.process.pid)
        child.process = None
        if self._stopping:
            return
        child.deaths.append(now)
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        if len(child.deaths) == MAX_DEATHS and now - child.deaths[0] < DEATH_WINDOW:
            raise RunError(
                f"{child.name} exited {MAX_DEATHS} times in {DEATH_WINDOW:.0f} seconds ({how}), "
                f"so everything was stopped. Last lines:\n{_indented(child.tail)}"
            )
        pause = 2.0 ** (sum(now - death < DEATH_WINDOW for death in child.deaths) - 1)
        child.restart_at = now + pause
        self.say(f"{child.name:<8} | exited ({how}), restarting in {pause:.0f} s")

    def _drain(self, child: Child) -> None:
        for key in list(self._selector.get_map().values()):
            while key.data.child is child and self._read(key.data):
                pass

    def _stop_all(self) -> None:
        self._stopping = True
        for child in reversed(self.children):
            sessions = list(child.orphaned)
            orphans = [pid for session in sessions for pid in session_members(session)]
            if child.process is not None:
                sessions.append(child.process.pid)
                # Only the leader: it stops the others cleanly, and a signal to all of them would abort their work.
                orphans.append(child.process.pid)
            for pid in orphans:
                send(pid, signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while members := [pid for session in sessions for pid in session_members(session)]:
                if self._kill_now or time.monotonic() > deadline:
                    for pid in members:
                        send(pid, signal.SIGKILL)
                self._tick()
            self._drain(child)
        self._selector.close()


def _indented(lines: Sequence[str] | deque[str]) -> str:
    return "\n".join(f"    {line}" for line in list(lines)[-LAST_LINES:]) or "    (none)"
