"""What a server was asked: counts by method and path family, and the last requests one by one."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

RECENT_LIMIT = 5_000


class CallLog:
    """Counts every API request when it arrives, whatever becomes of it."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._recent: deque[tuple[float, str, str, str]] = deque(maxlen=RECENT_LIMIT)

    def add(self, family: str, party: str, target: str) -> None:
        """`family` is the method with the path's pattern, `target` the path as it was asked for."""
        self._counts[party, family] += 1
        self._recent.append((time.time(), party, family, target))

    def counts(self, party: str | None = None) -> dict[str, int]:
        total: Counter[str] = Counter()
        for (of, family), count in self._counts.items():
            if party is None or party == of:
                total[family] += count
        return dict(total)

    def recent(self) -> list[dict[str, Any]]:
        return [
            {"at": at, "party": party, "family": family, "target": target} for at, party, family, target in self._recent
        ]
