"""The sandbox's state file, which lets a restart continue where the last run stopped."""

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
    """The state file can't be read or written; the message is for people."""


class State:
    """Both worlds and, given a path, the file they are saved to. Call `changed` after every change."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.bigcartel = BigCartelWorld()
        self.fcp = FcpWorld()
        self._dirty = False

    def load(self) -> None:
        """Load the file if it exists. Raises StateError."""
        if self.path is None or not self.path.exists():
            return
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data["version"] != VERSION:
                raise StateError(f"{self.path} was written by another version of the sandbox. Delete it.")
            self.bigcartel, self.fcp = bigcartel_from(data["bigcartel"]), fcp_from(data["fcp"])
        except OSError as error:
            raise StateError(f"Couldn't read {self.path}: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateError(f"{self.path} is not a valid sandbox state file. Delete it.") from error

    def changed(self) -> None:
        self._dirty = True

    def save(self) -> None:
        """Write the file if anything changed since the last save. Raises StateError, leaving the old file intact."""
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
            raise StateError(f"Couldn't write {self.path}: {error.strerror}.") from error

    async def keep_saving(self) -> None:
        """Save changes at most once a second, until canceled."""
        while True:
            await asyncio.sleep(1)
            self.save()
