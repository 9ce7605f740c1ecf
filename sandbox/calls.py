"""Log of the API requests that one server received: counts by method and path, and the most recent requests."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

RECENT_LIMIT = 5_000


class CallLog:
    """Counts every API request on arrival, whatever the outcome."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._recent: deque[tuple[float, str, str, str]] = deque(maxlen=RECENT_LIMIT)

    def add(self, family: str, party: str, target: str) -> None:
        """Count a request. `family` is the method and the route pattern, `target` the path and query as requested."""
        self._counts[party, family] += 1
        self._recent.append((time.time(), party, family, target))

    def counts(self, party: str | None = None) -> dict[str, int]:
        total: Counter[str] = Counter()
        for (caller, family), count in self._counts.items():
            if party is None or party == caller:
                total[family] += count
        return dict(total)

    def recent(self) -> list[dict[str, Any]]:
        return [
            {"at": at, "party": party, "family": family, "target": target} for at, party, family, target in self._recent
        ]
