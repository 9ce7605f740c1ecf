"""Many calls at once, one owner of the database: threads call, the calling thread alone takes work and records."""

from __future__ import annotations

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
"""Seconds that a first answer waits for others of its group."""
MAX_UNCLEAR = 3
"""Unclear answers in a row that end a run: the service is failing, and every further call would end up unconfirmed."""

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Work, Result]):
    """One call that came back: its work, and what it returned or how it failed."""

    work: Work
    result: Result | None
    error: ServiceError | None


class _Answers(Generic[Work, Result]):
    """What came back. Its owner is woken once for a group: at each answer, that would cost the callers their turn."""

    def __init__(self) -> None:
        self._came: deque[Done[Work, Result]] = deque()
        self._wake = Event()
        self._wanted = 1
        self._gave_up = False

    def put(self, done: Done[Work, Result]) -> None:
        self._came.append(done)
        if len(self._came) >= self._wanted:
            self._wake.set()

    def give_up(self) -> None:
        self._gave_up = True
        self._wake.set()

    def collect(self, group: int) -> list[Done[Work, Result]] | None:
        """Wait for a group, or what of it has come when a moment has passed. None: a caller gave up."""
        self._wanted = group
        if len(self._came) < group:
            self._wake.wait(LINGER)
            while not self._came and not self._gave_up:
                self._wake.clear()
                self._wake.wait(LINGER)
        self._wake.clear()
        if self._gave_up:
            return None
        return [self._came.popleft() for _ in range(len(self._came))]


@dataclass(slots=True)
class SlowStart:
    """The pace of one run; ``full`` is how many calls may be out once the service has answered clearly."""

    full: int
    _is_proven: bool = field(default=False, init=False)
    _unclear: int = field(default=0, init=False)

    def width(self) -> int:
        return self.full if self._is_proven else 1

    def clear(self) -> None:
        """Note a clear answer."""
        self._is_proven = True
        self._unclear = 0

    def unclear(self) -> bool:
        """Note an answer that leaves the outcome open; returns whether it is time to give up."""
        self._is_proven = False
        self._unclear += 1
        return self._unclear >= MAX_UNCLEAR


class Steps(Protocol[Work, Result]):
    """What is done, turn by turn: record, take, commit; then ``call`` on the threads.

    All but ``call`` run on the calling thread, which alone has the database.
    """

    def take(self, room: int) -> Sequence[Work]:
        """Claim up to ``room`` pieces of work; none when there are no more. Leaves the commit to the caller."""

    def call(self, work: Work) -> Result:
        """Make the one call. A ServiceError is an answer; any other exception is a defect."""

    def record(self, answers: Sequence[Done[Work, Result]]) -> None:
        """Write down what came back. Leaves the commit to the caller."""


def fan_out(
    steps: Steps[Work, Result],
    *,
    width: Callable[[], int],
    threads: int,
    commit: Callable[[], None],
    meanwhile: Callable[[], None] | None = None,
    group: int = 1,
) -> None:
    """Keep up to ``width()`` pieces of work committed and on ``threads`` until there are no more and all are back.

    Each turn records what came back, takes as much new work as there is room for, and commits both together, so no
    call leaves before its intent is committed, and no more is unconfirmed after a crash than ``width()``. With a
    ``group`` a turn waits a moment for that many answers, so that one commit serves them all; a width above
    ``threads`` keeps the threads busy meanwhile. ``meanwhile`` prepares more work while calls are out, and leaves
    nothing uncommitted. An exception of ``call`` that is no ServiceError is raised here after
    the other calls have come back.
    """
    todo: SimpleQueue[Work | None] = SimpleQueue()
    answers: _Answers[Work, Result] = _Answers()
    out = 0
    back: list[Done[Work, Result]] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="call") as pool:
        callers = [pool.submit(_keep_calling, steps.call, todo, answers) for _ in range(threads)]
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
                if (came := answers.collect(min(group, out))) is None:
                    break
                back = came
                out -= len(back)
        finally:
            for _ in callers:
                todo.put(None)
        for caller in callers:
            caller.result()


def _keep_calling(
    call: Callable[[Work], Result], todo: SimpleQueue[Work | None], answers: _Answers[Work, Result]
) -> None:
    """Make one call after the other until there is None to do. One that ends before that has met a defect."""
    try:
        while (work := todo.get()) is not None:
            try:
                done = Done(work, call(work), None)
            except ServiceError as error:
                done = Done(work, None, error)
            answers.put(done)
    finally:
        answers.give_up()
