"""What this thread is working on: a request, a job, a store, a merchant, an order. Every log line says it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ERRORS_WORK = "portal_work"
"""The attribute that tells what an exception's thread was working on when it was raised."""
_work: ContextVar[Mapping[str, str | int]] = ContextVar("work", default=MappingProxyType({}))


@contextmanager
def working_on(**which: str | int) -> Iterator[None]:
    """Add the fields, such as ``store=7``, to every line logged in the block.

    An exception that leaves the block takes them along, to the line that logs it. Threads don't inherit them: start a
    thread with contextvars.copy_context().run.
    """
    token = _work.set({**_work.get(), **which})
    try:
        yield
    except Exception as error:  # any kind may be logged further up
        if not hasattr(error, _ERRORS_WORK):
            setattr(error, _ERRORS_WORK, _work.get())
        raise
    finally:
        _work.reset(token)


def found(**which: str | int) -> None:
    """Add the fields to every line until the surrounding working_on() ends."""
    _work.set({**_work.get(), **which})


def work_of(error: BaseException | None) -> Mapping[str, str | int]:
    """Return what this thread is working on, and what it worked on when the error was raised."""
    return {**_work.get(), **getattr(error, _ERRORS_WORK, {})}


class CurrentWork(logging.Filter):
    """Adds what the thread is working on to each line. What the line itself says comes first."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in work_of(record.exc_info[1] if record.exc_info else None).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True
