"""CPU time of other processes, where this machine runs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu_of(process: int) -> Callable[[], float]:
    """Return a function that reads a process's CPU seconds, or 0 if it doesn't run on this machine."""
    path = Path(f"/proc/{process}/schedstat")
    if not path.exists():
        return lambda: 0.0
    return lambda: int(path.read_text().split()[0]) / 1e9
