"""A job leaves alone what another worker is already at work on."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.engine.leases import LeaseTakenError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


@contextmanager
def skip_if_leased(job: str, **which: int) -> Iterator[None]:
    """Log that another worker holds the lease, and go on after the block."""
    try:
        yield
    except LeaseTakenError:
        log.info(f"{job}.already_running", extra=which)  # noqa: G004 - the event's name is constant for a job
