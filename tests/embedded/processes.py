"""Helpers that wait for a condition and find every process a test started, regardless of its parent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "PORTAL_TEST_MARK"


def eventually(condition: Callable[[], object], what: str, *, seconds: float = 20) -> None:
    """Wait until the condition is true. Fail with `what` if that takes longer than this many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true within {seconds} s: {what}"
        time.sleep(0.02)


def marked(mark: str) -> dict[int, str]:
    """Return the running processes with PORTAL_TEST_MARK=mark in their environment, and their commands."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            environ = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if f"{MARK}={mark}".encode() in environ and state not in "ZX":
            found[int(entry.name)] = command
    return found
