"""Keeps programs running and ends them in the reverse order; knows nothing of the portal."""

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

GRACE = 15.0  # seconds from SIGTERM to SIGKILL
TICK = 0.1  # seconds
DEATHS, WITHIN = 3, 30.0  # so many deaths within so many seconds end everything
LAST_LINES = 20


class StopRequested(Exception):  # noqa: N818 - a wish, not an error
    """Ctrl-C, SIGTERM, or the terminal is gone."""


class RunError(Exception):
    """It cannot go on. The text is for the person who started it."""


@dataclass
class Child:
    """One program that is kept running, and the last lines it printed."""

    name: str
    command: Sequence[str | Path]
    shown: bool
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    starts_at: float = 0.0
    left_over: list[int] = field(default_factory=list)  # sessions of its dead processes that still have members


@dataclass
class _Pipe:
    child: Child
    stream: IO[bytes]
    unfinished: bytes = b""


class Supervisor:
    """Use as a context manager; leaving it ends every child, the last started first.

    Single-threaded on purpose: the kernel ties a child to the thread that started it.
    """

    def __init__(self, *, folder: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.folder, self.environ, self.say = folder, environ, say
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._asked_at: float | None = None
        self._ending = self._at_once = False

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start(self, name: str, command: Sequence[str | Path], *, shown: bool = True) -> Child:
        """Start a program and keep it running; `shown`: its lines are printed, with its name in front."""
        child = Child(name, command, shown)
        self.children.append(child)
        self._launch(child)
        return child

    def once(self, what: str, command: Sequence[str | Path], *, text: str = "") -> str:
        """Run a program to its end with `text` on its stdin; gives what it printed.

        Raises RunError, which begins with `what`, when its exit status is not 0.
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
            raise RunError(f"{what} did not work. The last lines:\n{_indented(output.splitlines())}")
        return output

    def until(self, condition: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Go on until the condition holds. Raises RunError when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RunError(f"{what} did not answer within {seconds:.0f} seconds, so everything was stopped.")
            self._tick()

    def watch(self) -> None:
        """Go on until StopRequested or RunError."""
        while True:
            self._tick()

    def _on_signal(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif number == signal.SIGINT and now > self._asked_at + 1:
            self._at_once = True  # Ctrl-C again: somebody does not want to wait for what is slow to end

    def _launch(self, child: Child) -> None:
        process = launch(child.command, output=subprocess.PIPE, folder=self.folder, environ=self.environ)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, _Pipe(child, process.stdout))
        child.process = process

    def _tick(self) -> None:
        """Pass on what was printed, for TICK seconds at most; then look after everyone."""
        if self._asked_at is not None and not self._ending:
            raise StopRequested
        for key, _ in self._selector.select(TICK):
            self._read(key.data)
        for child in self.children:
            self._look_after(child)

    def _read(self, pipe: _Pipe) -> bool:
        """Pass on what is there now; False when there was nothing."""
        try:
            data = os.read(pipe.stream.fileno(), 65_536)
        except BlockingIOError:
            return False
        *lines, pipe.unfinished = (pipe.unfinished + data).split(b"\n")
        if not data:
            self._selector.unregister(pipe.stream)
            pipe.stream.close()
            lines = [pipe.unfinished] if pipe.unfinished else []
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            pipe.child.tail.append(text)
            if pipe.child.shown:
                self.say(f"{pipe.child.name:<8} | {text}")
        return bool(data)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        child.left_over = [session for session in child.left_over if session_members(session)]
        if child.process is None:
            if now >= child.starts_at and not self._ending:
                self._launch(child)
            return
        status = child.process.poll()
        if status is None:
            return
        self._drain(child)
        child.left_over.append(child.process.pid)
        child.process = None
        if self._ending:
            return
        child.deaths.append(now)
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        if len(child.deaths) == DEATHS and now - child.deaths[0] < WITHIN:
            raise RunError(
                f"{child.name} ended {DEATHS} times within {WITHIN:.0f} seconds ({how}), "
                f"so everything was stopped. Its last lines:\n{_indented(child.tail)}"
            )
        pause = 2.0 ** (sum(now - death < WITHIN for death in child.deaths) - 1)
        child.starts_at = now + pause
        self.say(f"{child.name:<8} | ended by itself ({how}); it starts again in {pause:.0f} s")

    def _drain(self, child: Child) -> None:
        for key in list(self._selector.get_map().values()):
            while key.data.child is child and self._read(key.data):
                pass

    def _end(self) -> None:
        self._ending = True
        for child in reversed(self.children):
            sessions = list(child.left_over)
            orphans = [pid for session in sessions for pid in session_members(session)]
            if child.process is not None:
                sessions.append(child.process.pid)
                # Its leader alone: that one ends the others well, a signal to all would cost them their work.
                orphans.append(child.process.pid)
            for pid in orphans:
                send(pid, signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while members := [pid for session in sessions for pid in session_members(session)]:
                if self._at_once or time.monotonic() > deadline:
                    for pid in members:
                        send(pid, signal.SIGKILL)
                self._tick()
            self._drain(child)
        self._selector.close()


def _indented(lines: Sequence[str] | deque[str]) -> str:
    return "\n".join(f"    {line}" for line in list(lines)[-LAST_LINES:]) or "    (none)"
