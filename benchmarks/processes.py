"""The CPU time and the memory of running processes, as the kernel counts them. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

from embedded.process import session_members

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(session: int) -> float:
    """Return the CPU time of a session's processes, with that of their children that have ended."""
    return sum(_cpu_seconds(pid) for pid in session_members(session))


def _cpu_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has just ended; its parent counts it
    own_and_children = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, own_and_children)) / _TICKS


def memory_mb(pid: int) -> float:
    """Return the megabytes that a process has for itself, plus its share of what it has in common with others."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has just ended
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1000
