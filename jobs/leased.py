"""Skip work that another worker is already doing."""

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
    """Log ``event`` and leave the block if another worker holds the lease."""
    try:
        yield
    except LeaseTakenError:
        log.info(event, extra=which)
