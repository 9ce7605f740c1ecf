"""What happened to a merchant's orders on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median_low
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import Order

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.rules.time_zones import TimeZone


@dataclass(frozen=True, slots=True)
class DayFigures:
    day: date
    placed: int
    """As many as the order list shows for this day."""
    sent: int
    """Accepted by the warehouse."""
    shipped: int
    """Marked as shipped in Big Cartel."""
    half_within: timedelta | None
    """Half of the sent orders reached the warehouse within this time of their purchase; None if we don't know."""

    @property
    def is_quiet(self) -> bool:
        return not (self.placed or self.sent or self.shipped)


def day_figures(session: Session, merchant_id: int, day: date, zone: TimeZone) -> DayFigures:
    start, end = zone.start_of(day), zone.end_of(day)
    placed, sent, shipped = session.execute(
        select(
            func.count().filter(Order.placed_at >= start, Order.placed_at < end),
            func.count().filter(Order.submitted_at >= start, Order.submitted_at < end),
            func.count().filter(Order.completed_at >= start, Order.completed_at < end),
        ).where(Order.merchant_id == merchant_id)
    ).one()
    pairs = session.execute(
        select(Order.placed_at, Order.submitted_at).where(
            Order.merchant_id == merchant_id, Order.submitted_at >= start, Order.submitted_at < end
        )
    )
    took = [max(sent_at - bought, timedelta()) for bought, sent_at in pairs if bought and sent_at]
    return DayFigures(day, placed, sent, shipped, median_low(took) if took else None)
