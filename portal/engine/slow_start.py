"""How many calls may be out at once: one until a service answers clearly, then all; and when to give up."""

from __future__ import annotations

from dataclasses import dataclass, field

GIVE_UP_AFTER = 3
"""Unclear answers in a row that end a run: the service is failing, and every further call would end up unconfirmed."""


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
        return self._unclear >= GIVE_UP_AFTER
