"""Leave work to another worker that is already doing it, or has taken it over."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.engine.leases import LeaseLostError, LeaseTakenError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


@contextmanager
def skip_if_leased(event: str, **which: int) -> Iterator[None]:
    """Log ``event`` and leave the block if another worker holds the lease.

    Also leave it if another worker has taken the lease over, which is already logged as lease.lost: nothing more was
    saved, and the next tick finds what is still due.
    """
    try:
        yield
    except LeaseTakenError:
        log.info(event, extra=which)
    except LeaseLostError:
        return
