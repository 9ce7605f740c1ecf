"""Delete buyers' data some time after their orders are completed or closed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from portal.models import Attempt, Order
from portal.models.states import FINAL

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

BATCH = 500


def purge(session: Session, *, days: int, now: datetime) -> int:
    """Delete the buyer data of orders completed or closed more than ``days`` ago. Return how many; commits.

    The number, state, SKUs and attempt outcomes stay. What Big Cartel sent, what we sent to the FCP, and the FCP's own
    words (which may repeat an address) are emptied.
    """
    purged = 0
    while True:
        ids = session.scalars(
            select(Order.id)
            .where(
                Order.state.in_(FINAL),
                Order.state_changed_at < now - timedelta(days=days),
                Order.purged_at.is_(None),
            )
            .limit(BATCH)
        ).all()
        if not ids:
            return purged
        session.execute(
            update(Order).where(Order.id.in_(ids)).values(document="{}", dry_run_verdict=None, purged_at=now)
        )
        session.execute(update(Attempt).where(Attempt.order_id.in_(ids)).values(request="", answer="", words=""))
        session.commit()
        purged += len(ids)
