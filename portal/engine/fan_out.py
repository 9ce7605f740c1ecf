"""Run many calls in parallel: worker threads make the calls; only the calling thread uses the database."""

from __future__ import annotations

import contextvars
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from portal.clients.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LINGER = 0.02
"""Seconds that the first answer of a group waits for the others."""
MAX_UNCLEAR = 3
"""Consecutive unclear answers that end a run. The service is failing: every further call would end up unconfirmed."""

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Work, Result]):
    """A finished call: its work, and its result or error."""

    work: Work
    result: Result | None
    error: ServiceError | None


class _Answers(Generic[Work, Result]):
    """The finished calls. The owner wakes once per group; waking at every answer would slow the callers down."""

    def __init__(self) -> None:
        self._arrived: deque[Done[Work, Result]] = deque()
        self._wake = Event()
        self._wanted = 1
        self._gave_up = False

    def put(self, done: Done[Work, Result]) -> None:
        self._arrived.append(done)
        if len(self._arrived) >= self._wanted:
            self._wake.set()

    def give_up(self) -> None:
        self._gave_up = True
        self._wake.set()

    def collect(self, group: int) -> list[Done[Work, Result]] | None:
        """Wait briefly for ``group`` answers and return those that have arrived; None if a caller gave up."""
        self._wanted = group
        if len(self._arrived) < group:
            self._wake.wait(LINGER)
            while not self._arrived and not self._gave_up:
                self._wake.clear()
                self._wake.wait(LINGER)
        self._wake.clear()
        if self._gave_up:
            return None
        return [self._arrived.popleft() for _ in range(len(self._arrived))]


@dataclass(slots=True)
class SlowStart:
    """The pace of one run: one call at a time until the service answers clearly, then up to ``full`` at once."""

    full: int
    is_proven: bool = field(default=False, init=False)
    """Whether the last answer was clear."""
    _unclear: int = field(default=0, init=False)

    def width(self) -> int:
        return self.full if self.is_proven else 1

    def clear(self) -> None:
        """Record a clear answer."""
        self.is_proven = True
        self._unclear = 0

    def unclear(self) -> bool:
        """Record an answer that leaves the outcome open; return whether to give up."""
        self.is_proven = False
        self._unclear += 1
        return self._unclear >= MAX_UNCLEAR


@dataclass(slots=True)
class Groups:
    """How many answers are recorded together: one commit for more of them while they come quickly.

    What is under way is a multiple of it, so it is small again as soon as a service gets slower.
    """

    least: int
    most: int
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.start_over()

    def arrived(self, answers: int) -> None:
        """Record how many answers came together."""
        if answers >= self.size:
            self.size = max(min(2 * self.size, self.most), self.least)
        elif answers < self.size // 2:
            self.size = max(self.size // 2, self.least)

    def start_over(self) -> None:
        self.size = self.least


class Steps(Protocol[Work, Result]):
    """The steps of each turn: record, take, commit, then ``call`` on the threads.

    All except ``call`` run on the calling thread, the only one that uses the database.
    """

    def take(self, room: int) -> Sequence[Work]:
        """Claim up to ``room`` pieces of work; return none when there is no more. The caller commits."""

    def call(self, work: Work) -> Result:
        """Make one call. A ServiceError counts as an answer; any other exception is a bug."""

    def record(self, answers: Sequence[Done[Work, Result]]) -> None:
        """Save the answers. The caller commits."""


def fan_out(
    steps: Steps[Work, Result],
    *,
    width: Callable[[], int],
    threads: int,
    commit: Callable[[], None],
    meanwhile: Callable[[], None] | None = None,
    group: Callable[[], int] = lambda: 1,
) -> None:
    """Keep up to ``width()`` calls in flight on ``threads`` until there is no more work and every call has finished.

    Each turn records the answers, claims as much new work as fits, and commits both together. So no call is made
    before its intent is committed, and a crash leaves at most ``width()`` calls unconfirmed. A turn waits briefly for
    ``group()`` answers and saves them with one commit; a width above ``threads`` keeps the threads busy during that
    wait. ``meanwhile`` prepares more work while calls are in flight and must leave nothing uncommitted. If ``call``
    raises anything other than a ServiceError, it is raised here after the other calls have finished.
    """
    todo: SimpleQueue[Work | None] = SimpleQueue()
    answers: _Answers[Work, Result] = _Answers()
    out = 0
    back: list[Done[Work, Result]] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="call") as pool:
        # Each thread has a copy of the context, so that what it logs says what it works on.
        callers = [
            pool.submit(contextvars.copy_context().run, _keep_calling, steps.call, todo, answers)
            for _ in range(threads)
        ]
        try:
            while True:
                if back:
                    steps.record(back)
                room = width() - out
                taken = steps.take(room) if room > 0 else ()
                commit()
                for work in taken:
                    todo.put(work)
                out += len(taken)
                if not out:
                    break
                if meanwhile:
                    meanwhile()
                if (arrived := answers.collect(min(group(), out))) is None:
                    break
                back = arrived
                out -= len(back)
        finally:
            for _ in callers:
                todo.put(None)
        for caller in callers:
            caller.result()


def _keep_calling(
    call: Callable[[Work], Result], todo: SimpleQueue[Work | None], answers: _Answers[Work, Result]
) -> None:
    """Make calls until the queue yields None. Give up on any exception other than a ServiceError: it is a bug."""
    try:
        while (work := todo.get()) is not None:
            try:
                done = Done(work, call(work), None)
            except ServiceError as error:
                done = Done(work, None, error)
            answers.put(done)
    finally:
        answers.give_up()
