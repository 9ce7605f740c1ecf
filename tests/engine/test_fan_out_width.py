"""The number of calls in flight always follows the width, even when it shrinks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engine.fan_out import Done, fan_out

if TYPE_CHECKING:
    from collections.abc import Sequence

THREADS = 6


@dataclass
class Turns:
    """Lets one call finish per turn; each turn has its own width."""

    widths: list[int]
    left: int
    group: int = 1
    turn: int = -1
    claimed: int = 0
    expected: int = 0
    seen: list[tuple[int, int]] = field(default_factory=list)
    """Calls in flight at each turn, and the expected number."""
    _in_flight: int = 0
    _change: threading.Condition = field(default_factory=threading.Condition)
    _gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def width(self) -> int:
        self.turn += 1
        width = self.widths[min(self.turn, len(self.widths) - 1)]
        self.expected += min(self.left, max(width - self.expected, 0))
        return width

    def take(self, room: int) -> list[int]:
        taken = list(range(min(room, self.left)))
        self.left -= len(taken)
        self.claimed += len(taken)
        return taken

    def call(self, work: int) -> int:
        with self._change:
            self._in_flight += 1
            self._change.notify()
        assert self._gate.acquire(timeout=20)
        with self._change:
            self._in_flight -= 1
        return work

    def record(self, answers: Sequence[Done[int, int]]) -> None:
        self.claimed -= len(answers)
        self.expected -= len(answers)

    def finish_one_call(self) -> None:
        with self._change:
            assert self._change.wait_for(lambda: self._in_flight == min(self.claimed, THREADS), timeout=20)
            self.seen.append((self._in_flight, self.expected))
        self._gate.release()

    def run(self) -> list[tuple[int, int]]:
        fan_out(
            self,
            threads=THREADS,
            width=self.width,
            commit=lambda: None,
            meanwhile=self.finish_one_call,
            group=lambda: self.group,
        )
        return self.seen


@pytest.mark.parametrize("group", [1, 3])
@pytest.mark.parametrize(
    ("widths", "works", "in_flight"),
    [
        pytest.param([3], 6, [3, 3, 3, 3, 2, 1], id="constant"),
        pytest.param([1], 3, [1, 1, 1], id="one at a time"),
        pytest.param([1, 4], 7, [1, 4, 4, 4, 3, 2, 1], id="grows"),
        pytest.param([5, 1], 8, [5, 4, 3, 2, 1, 1, 1, 1], id="shrinks while calls are in flight"),
        pytest.param([4, 2, 4], 8, [4, 3, 4, 4, 4, 3, 2, 1], id="shrinks and grows again"),
    ],
)
def test_calls_in_flight_follow_the_width(widths: list[int], works: int, in_flight: list[int], group: int) -> None:
    assert [now for now, _ in Turns(widths, works, group).run()] == in_flight


@settings(max_examples=40)
@given(st.lists(st.integers(1, THREADS), min_size=1, max_size=12), st.integers(1, 12))
def test_calls_in_flight_follow_any_series_of_widths(widths: list[int], works: int) -> None:
    for now, expected in Turns(widths, works).run():
        assert now == expected
