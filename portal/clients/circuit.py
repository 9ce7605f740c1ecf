"""A circuit breaker per host: after several failures in a row, calls to the host pause for a while."""

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
    """A thread-safe count of consecutive failures per host, one for each process.

    After ``failures`` of them, ``allows`` lets only one trial call through every ``pause`` seconds. The first success
    lets all calls through again.
    """

    def __init__(self, *, failures: int = 5, pause: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def allows(self, host: str) -> bool:
        """Return whether ``host`` may be called now. The caller then reports ``succeeded`` or ``failed``."""
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
        """Record that ``host`` answered, whatever the answer was."""
        state = self._hosts.get(host)
        if state is not None and state.failures:
            with self._lock:
                state.failures = 0

    def failed(self, host: str) -> None:
        """Record that ``host`` couldn't be reached."""
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            state.failures += 1
            if state.failures >= self._limit:
                state.paused_at = self._clock()


shared_circuit = Circuit()
