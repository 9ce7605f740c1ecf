"""Acknowledge changes in Big Cartel to an order that was already sent: a person has taken care of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.fulfillment.changes import acknowledge
from portal.models import ChangeAfterSending
from portal.models.audit import record

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Order

SEEN_TO = "changes acknowledged"


def see_to(session: Session, order: Order, *, up_to: int, actor: str, reason: str, now: datetime) -> int:
    """Acknowledge the order's open changes up to the one with this id, which a person saw. Return how many; commits."""
    conditions = [ChangeAfterSending.order_id == order.id, ChangeAfterSending.id <= up_to]
    ids = acknowledge(session, conditions, now=now, actor=actor)
    if ids:
        merchant_id, number = order.merchant_id, order.number
        record(session, SEEN_TO, merchant_id=merchant_id, subject=number, actor=actor, reason=reason, now=now)
    session.commit()
    return len(ids)
