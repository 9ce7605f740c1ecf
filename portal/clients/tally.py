"""Counts the calls that this process made to both services, for the metrics."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from portal.clients.errors import NotSent, Rejected, ServiceError, Throttled, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG_CARTEL, WAREHOUSE = "bigcartel", "fcp"
"""The services by the names that they have in settings, commands and metrics."""
OK, UNKNOWN = "ok", "unknown"
_OUTCOMES: tuple[tuple[type[ServiceError], str], ...] = (
    (Throttled, "throttled"),
    (NotSent, "not_sent"),
    (Rejected, "rejected"),
    (Unauthorized, "unauthorized"),
)
"""The first that fits counts. For every other error, nobody knows whether the call had an effect."""


class Called(NamedTuple):
    """What is counted together: calls of one kind to one service that ended in the same way."""

    service: str
    kind: str
    outcome: str


class Tally:
    """A thread-safe count of calls, with the seconds that they took together, retries and reading included."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[Called] = Counter()
        self._seconds: dict[Called, float] = {}

    @contextmanager
    def count(self, service: str, kind: str) -> Iterator[None]:
        """Count the block as one call. ``kind`` is a fixed name, never part of a URL or an answer."""
        started = time.monotonic()
        outcome = OK
        try:
            yield
        except ServiceError as error:
            outcome = next((name for kind_of, name in _OUTCOMES if isinstance(error, kind_of)), UNKNOWN)
            raise
        finally:
            called, seconds = Called(service, kind, outcome), time.monotonic() - started
            with self._lock:
                self._calls[called] += 1
                self._seconds[called] = self._seconds.get(called, 0.0) + seconds

    def take(self) -> dict[Called, tuple[int, float]]:
        """Return the number of calls and their seconds, and start again from zero."""
        with self._lock:
            taken = {called: (number, self._seconds[called]) for called, number in self._calls.items()}
            self._calls.clear()
            self._seconds.clear()
        return taken


calls = Tally()
"""The calls of this process."""

big_cartel_call = partial(calls.count, BIG_CARTEL)
warehouse_call = partial(calls.count, WAREHOUSE)
