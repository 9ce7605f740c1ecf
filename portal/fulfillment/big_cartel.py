"""Whether Big Cartel fails for every store, or only for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.clients.errors import Cause, ServiceError, Throttled
from portal.fulfillment import hosts
from portal.fulfillment.clients import BlockedError, bigcartel_for, cheap_call
from portal.models import HostName

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from config import Settings
    from portal.models import Store


def is_big_cartel_failing(
    session: Session,
    store: Store,
    settings: Settings,
    error: ServiceError | BlockedError,
    clock: Callable[[], datetime],
) -> bool:
    """Return whether Big Cartel fails for everyone, after ``error`` from one store, and record it if so. Commits.

    A rate limit concerns one store. May make a call, so no transaction may be open.
    """
    if isinstance(error, BlockedError | Throttled) or error.cause is not Cause.HOST:
        return False
    try:
        own = bigcartel_for(store, settings, tries=1).account
    except BlockedError:
        return False
    probe = cheap_call(session, HostName.BIG_CARTEL, settings, now=clock(), other_than=store.id) or own
    session.commit()
    return hosts.fails_for_all(session, HostName.BIG_CARTEL, error, probe=probe, clock=clock)
