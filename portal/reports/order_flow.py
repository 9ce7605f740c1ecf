"""Where orders are on their way from the store to the buyer: all open ones, and those placed today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import Order, OrderState
from portal.reports.overview import OUTCOME_OF_STATE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from portal.reports.overview import OpenOrders, Outcome
    from portal.reports.store_days import Days

PATH = (
    OrderState.HELD,
    OrderState.REJECTED,
    OrderState.READY,
    OrderState.SUBMITTING,
    OrderState.UNCONFIRMED,
    OrderState.SUBMITTED,
    OrderState.SHIPPED,
    OrderState.COMPLETED,
    OrderState.CLOSED,
)
"""The states in the order in which the dashboard shows them."""
_TILES = tuple(state for state in PATH if state not in {OrderState.COMPLETED, OrderState.CLOSED})


@dataclass(frozen=True, slots=True)
class Stage:
    """The orders in one state, and the group of the chart whose color it has."""

    state: OrderState
    count: int

    @property
    def outcome(self) -> Outcome:
        return OUTCOME_OF_STATE[self.state]


@dataclass(frozen=True, slots=True)
class Today:
    """The orders placed on one day. The stages have at least one order each, and add up to ``total``."""

    date: date
    days_in: str
    stages: Sequence[Stage]

    @property
    def total(self) -> int:
        return sum(stage.count for stage in self.stages)


def open_stages(orders: OpenOrders) -> list[Stage]:
    """Return a stage for every open state. Sending takes seconds, so it is left out while nothing is being sent."""
    found = (Stage(state, orders.count(state)) for state in _TILES)
    return [stage for stage in found if stage.count or stage.state is not OrderState.SUBMITTING]


def placed_today(session: Session, merchant_id: int, days: Days, now: datetime) -> Today:
    """Return where the orders placed today are now, counted by an index alone."""
    today = days.zone.day_of(now)
    start, end = days.zone.start_of(today), days.zone.start_of(today + timedelta(days=1))
    query = (
        select(Order.state, func.count())
        # No order is seen before it is placed, so orders first seen earlier can be skipped.
        .where(Order.merchant_id == merchant_id, Order.first_seen_at >= start)
        .where(Order.placed_at >= start, Order.placed_at < end)
        .group_by(Order.state)
    )
    found = {state: count for state, count in session.execute(query)}  # noqa: C416 - dict() loses the types
    return Today(today, days.words, [Stage(state, found[state]) for state in PATH if state in found])
