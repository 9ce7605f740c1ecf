"""Skip what another worker is already working on."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.engine.leases import LeaseTakenError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


@contextmanager
def skip_if_leased(event: str, **which: int) -> Iterator[None]:
    """Log the event when another worker holds the lease, and go on after the block."""
    try:
        yield
    except LeaseTakenError:
        log.info(event, extra=which)
