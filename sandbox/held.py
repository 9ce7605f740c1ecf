"""Requests that are kept waiting, for a time or for good, so that a test can look at what is out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.faults import Call


@dataclass(slots=True)
class _Held:
    call: Call
    kind: str
    since: float = field(default_factory=time.monotonic)
    go: asyncio.Event = field(default_factory=asyncio.Event)


class Held:
    """The requests of one server that are held now."""

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self._changed = asyncio.Event()

    async def hold(self, call: Call, kind: str, seconds: float | None) -> None:
        """Wait until the time is over (None: never), the request is released, or its client goes away."""
        held = _Held(call, kind)
        self._held[id(held)] = held
        self._tell()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await held.go.wait()
        finally:
            del self._held[id(held)]
            self._tell()

    def release(self) -> int:
        """Let every held request go on; returns how many there were."""
        for held in self._held.values():
            held.go.set()
        return len(self._held)

    def plain(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        return [
            {
                "call": held.call.name,
                "party": held.call.party,
                "orders": list(held.call.orders),
                "kind": held.kind,
                "seconds": round(now - held.since, 3),
            }
            for held in self._held.values()
        ]

    async def wait_for(self, number: int, seconds: float) -> list[dict[str, Any]]:
        """What is held, as soon as it is `number` requests or more, or when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._held) < number:
                    await self._changed.wait()
        return self.plain()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
