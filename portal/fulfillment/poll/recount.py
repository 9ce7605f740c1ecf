"""Have a store's orders counted again soon: its next poll reads every unshipped order and reconciles them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from portal.models import Store

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import StoredReconciliation

SWEEP_EVERY = timedelta(hours=1)
COUNT_AGAIN_AFTER = timedelta(seconds=30)
"""How long after a count that found a remainder the next poll may count again."""


def ask(session: Session, store_ids: Collection[int], now: datetime) -> None:
    """Make the stores' next polls full sweeps, due now. Stores that aren't connected are left out. The caller commits.

    Call this when something may have changed behind our back: after going live, reconnecting, or an incident.
    """
    session.execute(
        update(Store).where(Store.id.in_(store_ids), Store.is_connected).values(last_swept_at=None, next_poll_at=now),
        execution_options={"synchronize_session": "fetch"},
    )


def ask_soon(store: Store, swept_at: datetime) -> None:
    """Make the first poll from half a minute after the sweep a sweep, too. The caller commits."""
    store.last_swept_at = swept_at + COUNT_AGAIN_AFTER - SWEEP_EVERY


def remainder(reconciliation: StoredReconciliation) -> list[str]:
    """Return the numbers of the orders that this count leaves unaccounted for."""
    return list(dict.fromkeys([*reconciliation["missing"], *reconciliation["not_told"]]))


def confirmed_remainder(reconciliation: StoredReconciliation) -> list[str]:
    """Return the orders that two counts in a row leave unaccounted for: one alone may have met an order on its way."""
    confirmed = reconciliation.get("confirmed", [])
    return [number for number in remainder(reconciliation) if number in confirmed]
