"""Hold requests for a set time or until released, so tests can inspect them in flight."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.faults import Call


@dataclass(slots=True)
class _HeldRequest:
    call: Call
    kind: str
    since: float = field(default_factory=time.monotonic)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class HeldRequests:
    """The requests that one server is holding."""

    def __init__(self) -> None:
        self._held: dict[int, _HeldRequest] = {}
        self._changed = asyncio.Event()

    async def hold(self, call: Call, kind: str, seconds: float | None) -> None:
        """Hold a request until `seconds` pass (None: no limit), it is released, or its client disconnects."""
        held = _HeldRequest(call, kind)
        self._held[id(held)] = held
        self._notify()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await held.released.wait()
        finally:
            del self._held[id(held)]
            self._notify()

    def release(self) -> int:
        """Release every held request and return how many there were."""
        for held in self._held.values():
            held.released.set()
        return len(self._held)

    def as_dicts(self) -> list[dict[str, Any]]:
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
        """Return the held requests once there are at least `number` of them, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._held) < number:
                    await self._changed.wait()
        return self.as_dicts()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
