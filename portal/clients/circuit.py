"""A circuit per host: one that cannot be reached several times in a row is left alone for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class _Host:
    failures: int = 0
    paused_at: float = 0.0


class Circuit:
    """Counts failures in a row per host; safe for threads, one per process.

    After ``failures`` of them ``allows`` says no, except to one call every ``pause`` seconds. The first
    success lets everybody through again.
    """

    def __init__(self, *, failures: int = 5, pause: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def allows(self, host: str) -> bool:
        """Whether a call to ``host`` may go out now. The caller reports back with succeeded or failed."""
        state = self._hosts.get(host)
        if state is None or state.failures < self._limit:
            return True
        with self._lock:
            now = self._clock()
            if state.failures < self._limit:
                return True
            if now - state.paused_at < self._pause:
                return False
            state.paused_at = now
            return True

    def succeeded(self, host: str) -> None:
        """``host`` answered: whatever it said, it is alive."""
        state = self._hosts.get(host)
        if state is not None and state.failures:
            with self._lock:
                state.failures = 0

    def failed(self, host: str) -> None:
        """``host`` could not be reached."""
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            state.failures += 1
            if state.failures >= self._limit:
                state.paused_at = self._clock()


shared_circuit = Circuit()
