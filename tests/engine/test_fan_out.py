"""fan_out(): calls in flight, intents committed before each call, and exceptions."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.errors import NotSent
from portal.engine.fan_out import Done, fan_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass
class Bench:
    """Records the order of events. Each piece of work is a number; its result is twice that number."""

    works: list[int]
    width: int = 4
    answer: Callable[[int], int] = lambda work: 2 * work
    events: list[str] = field(default_factory=list)
    uncommitted: list[int] = field(default_factory=list)
    committed: set[int] = field(default_factory=set)
    done: list[Done[int, int]] = field(default_factory=list)
    called_uncommitted: list[int] = field(default_factory=list)
    most_out: int = 0
    _out: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, room: int) -> list[int]:
        assert room > 0
        assert threading.current_thread() is threading.main_thread()
        taken, self.works = self.works[:room], self.works[room:]
        self.uncommitted += taken
        return taken

    def call(self, work: int) -> int:
        with self._lock:
            self._out += 1
            self.most_out = max(self.most_out, self._out)
        if work not in self.committed:
            self.called_uncommitted.append(work)
        try:
            return self.answer(work)
        finally:
            with self._lock:
                self._out -= 1

    def record(self, answers: Sequence[Done[int, int]]) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.done += answers
        self.events.append("record")

    def commit(self) -> None:
        self.committed |= set(self.uncommitted)
        self.uncommitted.clear()
        self.events.append("commit")

    def run(self, width: Callable[[], int] | None = None, threads: int | None = None, group: int = 1) -> None:
        fan_out(
            self,
            threads=threads or self.width,
            width=width or (lambda: self.width),
            commit=self.commit,
            group=lambda: group,
        )


@given(st.lists(st.integers(), max_size=40, unique=True), st.integers(1, 9))
def test_each_call_is_made_once_after_its_commit_and_recorded_once(works: list[int], width: int) -> None:
    bench = Bench(list(works), width)
    bench.run()
    assert sorted(done.work for done in bench.done) == sorted(works)
    assert all(done.result == 2 * done.work and done.error is None for done in bench.done)
    assert bench.called_uncommitted == []
    assert bench.most_out <= width
    assert bench.events[-1] == "commit"


@given(st.integers(0, 40), st.integers(1, 5), st.integers(1, 9), st.integers(1, 4))
def test_calls_in_flight_never_exceed_the_threads(works: int, threads: int, width: int, group: int) -> None:
    bench = Bench(list(range(works)), width)
    bench.run(threads=threads, group=group)
    assert sorted(done.work for done in bench.done) == list(range(works))
    assert bench.called_uncommitted == []
    assert bench.most_out <= min(threads, width)


def test_run_without_work_takes_one_commit() -> None:
    bench = Bench([])
    bench.run()
    assert bench.events == ["commit"]


def test_calls_fill_the_width() -> None:
    together = threading.Barrier(4, timeout=10)

    def call(work: int) -> int:
        together.wait()
        return work

    bench = Bench(list(range(8)), 4, call)
    bench.run()
    assert bench.most_out == 4


def test_width_is_evaluated_each_turn() -> None:
    """One call at first, then six once the first has finished."""
    bench = Bench(list(range(12)), 6)
    seen: list[int] = []

    def width() -> int:
        seen.append(len(bench.done))
        return 6 if bench.done else 1

    bench.run(width)
    assert seen[:2] == [0, 1]
    assert len(bench.done) == 12


def test_service_error_is_an_answer() -> None:
    def call(work: int) -> int:
        if work == 1:
            raise NotSent("Nothing is listening.", service="FCP")
        return work

    bench = Bench([0, 1, 2], 3, call)
    bench.run()
    failed = {done.work: type(done.error) for done in bench.done if done.error}
    assert failed == {1: NotSent}


def test_other_exception_is_raised_after_the_other_calls_finish() -> None:
    release = threading.Event()
    back: list[int] = []

    def call(work: int) -> int:
        if work == 1:
            release.set()
            raise KeyError("a bug")
        release.wait(10)
        back.append(work)
        return work

    bench = Bench([0, 1, 2], 3, call)
    with pytest.raises(KeyError, match="a bug"):
        bench.run()
    assert sorted(back) == [0, 2]


def test_no_call_is_made_if_the_commit_fails() -> None:
    bench = Bench([1, 2, 3])

    def commit() -> None:
        raise OSError("disk full")

    bench.commit = commit  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk full"):
        bench.run()
    assert bench.most_out == 0
