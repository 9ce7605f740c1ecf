"""Counts for the dashboard and the list of merchants, in a few queries each, regardless of the number of orders."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Integer, Text, and_, case, cast, func, literal, literal_column, select, true, union_all

from portal.models import Attempt, AttemptKind, Order, OrderState
from portal.reports.order_conditions import OPEN, in_state, lost, names, not_sent, not_told, to_fix
from portal.rules.hold_reasons import HoldReason
from portal.wording.states import RECONCILED_LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy.orm import Session

    from portal.models import Store, StoredReconciliation
    from portal.reports.store_days import Days

DAYS = 14
FAR_ABOVE, FEW = 3, 20


class Outcome(StrEnum):
    """Where an order is now, in the groups of the chart."""

    COMPLETE = "complete"
    AT_THE_WAREHOUSE = "warehouse"
    WAITING = "waiting"
    HELD = "held"
    REJECTED = "rejected"
    CLOSED = "closed"


OUTCOME_OF_STATE: Mapping[OrderState, Outcome] = {
    OrderState.HELD: Outcome.HELD,
    OrderState.READY: Outcome.WAITING,
    OrderState.SUBMITTING: Outcome.WAITING,
    OrderState.UNCONFIRMED: Outcome.WAITING,
    OrderState.REJECTED: Outcome.REJECTED,
    OrderState.SUBMITTED: Outcome.AT_THE_WAREHOUSE,
    OrderState.SHIPPED: Outcome.AT_THE_WAREHOUSE,
    OrderState.COMPLETED: Outcome.COMPLETE,
    OrderState.CLOSED: Outcome.CLOSED,
}


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """Counts of open orders; an order that is held for two reasons counts under both."""

    states: Mapping[OrderState, int] = field(default_factory=dict)
    holds: Mapping[HoldReason, int] = field(default_factory=dict)
    to_fix: int = 0
    """Held for a reason that the merchant has to fix, and not excluded by the choice of what to send."""
    not_sent: int = 0
    """Not sent within 72 hours; retries have stopped."""
    not_told: int = 0
    """Shipped, but we couldn't update Big Cartel within 72 hours."""
    lost: int = 0
    """Accepted by the warehouse, which can't find them anymore."""

    def count(self, *states: OrderState) -> int:
        return sum(self.states.get(state, 0) for state in states)

    @property
    def rejected(self) -> int:
        return self.count(OrderState.REJECTED)

    @property
    def waiting(self) -> int:
        """Orders that are sent to the warehouse automatically."""
        return self.count(OrderState.READY, OrderState.SUBMITTING, OrderState.UNCONFIRMED) - self.not_sent

    @property
    def needing_attention(self) -> int:
        return self.to_fix + self.rejected + self.not_sent + self.not_told + self.lost


def open_orders(session: Session, merchant_id: int) -> OpenOrders:
    found = session.execute(_counts(Order.merchant_id == merchant_id)).one_or_none()
    return OpenOrders() if found is None else _open_orders(found)


def open_orders_by_merchant(session: Session) -> Mapping[int, OpenOrders]:
    """Return the counts of every merchant that has open orders, in one query."""
    return {row.merchant_id: _open_orders(row) for row in session.execute(_counts(true()))}


def _counts(whose: ColumnElement[bool]) -> Select[*tuple[int, ...]]:
    """Select the counts of each merchant with open orders.

    Indexes alone count them, except for those on hold, where each text with reasons is searched once.
    """
    others = [state for state in OPEN if state is not OrderState.HELD]
    each = union_all(
        _tally(cast(Order.state, Text), whose, in_state(*others)),
        _tally(literal("held"), whose, in_state(OrderState.HELD), reasons=cast(Order.holds, Text)),
        _tally(literal("not_sent"), whose, not_sent()),
        _tally(literal("not_told"), whose, not_told()),
        _tally(literal("lost"), whose, lost()),
    ).subquery()

    def total(name: str, condition: ColumnElement[bool]) -> ColumnElement[int]:
        return cast(func.coalesce(func.sum(each.c.orders).filter(condition), 0), Integer).label(name)

    is_held = each.c.figure == OrderState.HELD.value
    reasons = {reason: and_(is_held, names(each.c.reasons, reason)) for reason in HoldReason}
    return select(
        each.c.merchant_id,
        *(total(f"state_{state.value}", each.c.figure == state.value) for state in OPEN),
        *(total(f"hold_{reason.value}", condition) for reason, condition in reasons.items()),
        total("to_fix", and_(is_held, to_fix(each.c.reasons))),
        *(total(name, each.c.figure == name) for name in ("not_sent", "not_told", "lost")),
    ).group_by(each.c.merchant_id)


def _tally(
    figure: ColumnElement[str], *conditions: ColumnElement[bool], reasons: ColumnElement[str] | None = None
) -> Select[int, str, str, int]:
    """Count orders by merchant and figure, and by the text with their hold reasons if it is given."""
    reasons = literal("") if reasons is None else reasons
    columns = Order.merchant_id, figure.label("figure"), reasons.label("reasons")
    return (
        select(*columns, func.count().label("orders")).where(*conditions).group_by("merchant_id", "figure", "reasons")
    )


def _open_orders(row: Row[*tuple[int, ...]]) -> OpenOrders:
    named = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    return OpenOrders(
        states={state: named[f"state_{state.value}"] for state in OPEN},
        holds={reason: named[f"hold_{reason.value}"] for reason in HoldReason},
        to_fix=named["to_fix"],
        not_sent=named["not_sent"],
        not_told=named["not_told"],
        lost=named["lost"],
    )


@dataclass(frozen=True, slots=True)
class Day:
    """The orders placed on one day, by where they are now."""

    date: date
    orders: Mapping[Outcome, int]

    @property
    def total(self) -> int:
        return sum(self.orders.values())


@dataclass(frozen=True, slots=True)
class History:
    """Orders per day, oldest day first; ``days_in`` names the time zone that the days are in."""

    days: Sequence[Day]
    days_in: str = "UTC"

    def total(self, outcome: Outcome | None = None) -> int:
        return sum(day.orders.get(outcome, 0) if outcome else day.total for day in self.days)

    @property
    def version(self) -> str:
        """A checksum that changes with any figure."""
        return f"{zlib.crc32(repr((self.days, self.days_in)).encode()):x}"

    @property
    def top(self) -> int:
        """The top of the chart's scale: the lowest 2, 4 or 10 times a power of ten that no usual day exceeds.

        A day with more than FAR_ABOVE times as many orders as any other would make the others unreadable, so its bar
        is cut off and says its number. With FEW orders or less, every day is readable.
        """
        totals = sorted((day.total for day in self.days), reverse=True)
        highest, second = (*totals, 0, 0)[:2]
        is_outlier = second and highest > max(FAR_ABOVE * second, FEW)
        wanted = FAR_ABOVE * second if is_outlier else highest
        size = 1
        while True:
            for step in (2, 4, 10):
                if step * size >= wanted:
                    return step * size
            size *= 10


def history(session: Session, merchant_id: int, days: Days, now: datetime, length: int = DAYS) -> History:
    """Return the last ``length`` days including today, counting each order on the day it was placed (or first seen)."""
    today = days.zone.day_of(now)
    starts = [days.zone.start_of(today - timedelta(days=back)) for back in range(length)]
    placed_at = func.coalesce(Order.placed_at, Order.first_seen_at)
    back = case(*((placed_at >= start, position) for position, start in enumerate(starts)), else_=length)
    # No order is seen before it is placed, so orders first seen earlier can be skipped.
    recent = (
        select(back.label("back"), Order.state)
        .where(Order.merchant_id == merchant_id, Order.first_seen_at >= starts[-1])
        .subquery()
    )
    query = select(recent.c.back, recent.c.state, func.count()).group_by(recent.c.back, recent.c.state)
    found: dict[int, dict[Outcome, int]] = defaultdict(lambda: defaultdict(int))
    for days_back, state, number in session.execute(query):
        found[days_back][OUTCOME_OF_STATE[state]] += number
    return History([Day(today - timedelta(days=n), dict(found[n])) for n in reversed(range(length))], days.words)


@dataclass(frozen=True, slots=True)
class Sent:
    """The last attempt to send an order to the warehouse."""

    at: datetime
    number: str
    explanation: str


def last_sent(session: Session, merchant_id: int) -> Sent | None:
    # By time, not by id: a database that guesses how far back the last one is might read all attempts by their ids.
    last = (
        select(Attempt.order_id, Attempt.started_at, Attempt.explanation)
        # As in the index, word for word.
        .where(Attempt.merchant_id == merchant_id, Attempt.kind == literal_column(f"'{AttemptKind.SUBMIT}'"))
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        .limit(1)
        .subquery()
    )
    query = select(last.c.started_at, Order.number, last.c.explanation).join(last, last.c.order_id == Order.id)
    row = session.execute(query).first()
    return Sent(*row) if row is not None else None


@dataclass(frozen=True, slots=True)
class StoreReconciliation:
    """A store's last reconciliation, for display; portal.fulfillment.poll.reconciliation explains the figures."""

    title: str
    at: datetime
    figures: StoredReconciliation
    waiting: Sequence[tuple[str, int]]
    """Each reason that orders are waiting for, in words, with the number of orders; largest first."""

    @property
    def waiting_count(self) -> int:
        return sum(count for _, count in self.waiting)


def reconciliations(stores: Sequence[Store]) -> list[StoreReconciliation]:
    """Return the reconciliation of every store that has had a full sweep."""
    return [
        StoreReconciliation(
            title=store.title,
            at=datetime.fromisoformat(store.reconciliation["at"]),
            figures=store.reconciliation,
            waiting=sorted(
                ((_in_words(key), count) for key, count in store.reconciliation["waiting"].items()),
                key=lambda one: -one[1],
            ),
        )
        for store in stores
        if store.reconciliation
    ]


def _in_words(waiting_for: str) -> str:
    """``waiting_for`` is a hold's code or a state; what another version stored is shown as it is."""
    if waiting_for in HoldReason.__members__.values():
        return HoldReason(waiting_for).row.label
    if waiting_for in OrderState.__members__.values():
        return RECONCILED_LABELS[OrderState(waiting_for)]
    return waiting_for.capitalize()
