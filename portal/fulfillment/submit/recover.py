"""Pick up what a dead worker left half-way."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.fulfillment import attempts
from portal.models import Attempt, AttemptKind, AttemptOutcome, Order, OrderState
from portal.models.states import OrderChange, move

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.engine.leases import HeldLease

log = logging.getLogger(__name__)

_INTERRUPTED = "Our worker stopped before the answer came. We are asking the warehouse whether it has the order."


def recover(session: Session, merchant_id: int, lease: HeldLease, now: datetime) -> int:
    """Make unconfirmed what a dead worker was sending, and end its attempts. Returns how many orders; commits.

    Call it with the merchant's submit lease in hand: whatever is being sent under another owner is then nobody's any
    more.
    """
    ids = session.scalars(
        select(Order.id).where(
            Order.merchant_id == merchant_id, Order.state == OrderState.SUBMITTING, Order.claim != lease.owner
        )
    ).all()
    unconfirmed = session.scalars(
        select(Order.id)
        .join(Attempt, Attempt.order_id == Order.id)
        .where(
            Order.merchant_id == merchant_id,
            Order.state == OrderState.UNCONFIRMED,
            Attempt.kind == AttemptKind.SUBMIT,
            Attempt.outcome == AttemptOutcome.OPEN,
        )
    ).all()
    move(
        session,
        [OrderChange(order_id, {"claim": "", "next_attempt_at": now}) for order_id in ids],
        from_state=OrderState.SUBMITTING,
        to_state=OrderState.UNCONFIRMED,
        now=now,
    )
    attempts.complete(
        session,
        AttemptKind.SUBMIT,
        [
            attempts.Completion(order_id, AttemptOutcome.INTERRUPTED, now, _INTERRUPTED)
            for order_id in (*ids, *unconfirmed)
        ],
    )
    session.commit()
    if ids:
        log.warning("submit.recovered", extra={"merchant": merchant_id, "orders": len(ids)})
    return len(ids)
