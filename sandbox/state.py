"""Keeping the sandbox's state in a file, so that a second start goes on where the first stopped."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from sandbox.world import BigCartelWorld, FcpWorld, bigcartel_from, fcp_from, to_plain

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1


class StateError(Exception):
    """The state file cannot be read or written; the text is one sentence for a person."""


class State:
    """Both worlds and, when there is a path, their file. Call `changed` after every change."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.bigcartel = BigCartelWorld()
        self.fcp = FcpWorld()
        self._dirty = False

    def load(self) -> None:
        """Read the file if there is one. Raises StateError."""
        if self.path is None or not self.path.exists():
            return
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data["version"] != VERSION:
                raise StateError(f"{self.path} was written by another version of the sandbox: delete it.")
            self.bigcartel, self.fcp = bigcartel_from(data["bigcartel"]), fcp_from(data["fcp"])
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateError(f"{self.path} is not a state file of the sandbox: delete it.") from error

    def changed(self) -> None:
        self._dirty = True

    def save(self) -> None:
        """Write the file if something changed since the last time; the old one stays whole until then."""
        if self.path is None or not self._dirty:
            return
        self._dirty = False
        text = json.dumps({"version": VERSION, "bigcartel": self.bigcartel, "fcp": self.fcp}, default=to_plain)
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise StateError(f"{self.path} cannot be written: {error.strerror}.") from error

    async def keep_saving(self) -> None:
        """Save what changed, at most once a second, until cancelled."""
        while True:
            await asyncio.sleep(1)
            self.save()
