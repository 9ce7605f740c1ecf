"""Reconciliation: compare what Big Cartel lists with what the FCP says, and name every order unaccounted for."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import select

from portal.clients.errors import ServiceError
from portal.clients.fcp import MAX_STATUSES
from portal.fulfillment.poll.recount import ask_soon, remainder
from portal.models import Order, OrderState
from portal.models.base import chunks
from portal.models.states import AT_THE_WAREHOUSE, ClosedBecause
from portal.rules.hold_reasons import HoldReason
from portal.rules.patience import STATUS_LAG

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.fcp import Fcp, OrderStatus
    from portal.models import Store, StoredHold, StoredReconciliation

log = logging.getLogger(__name__)

LEFT_OUT = frozenset({HoldReason.BEFORE_START, HoldReason.RATE_NEVER_SENT})
"""Holds by which a person left the order out, for as long as the choice stands."""


class _ListedOrder(NamedTuple):
    """What we know about an order that Big Cartel lists."""

    number: str
    state: OrderState
    holds: list[StoredHold]
    closed_because: ClosedBecause | None
    submitted_at: datetime | None
    completed_at: datetime | None


class _Moments(NamedTuple):
    """When the sweep started, and when the FCP was asked."""

    swept_at: datetime
    asked_at: datetime


@dataclass(slots=True)
class Reconciliation:
    """Both sums at one moment. ``missing`` and ``not_told`` hold the numbers of the orders unaccounted for."""

    at: str
    unshipped_and_paid: int = 0
    at_the_warehouse: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    """Number of orders by the code of their first hold, or by state."""
    left_out: int = 0
    """Orders placed before the start date, with a rate that is never sent, or closed by a person."""
    missing: list[str] = field(default_factory=list)
    """Orders that nobody accounts for, and those that we closed although Big Cartel lists them."""
    shipped_by_the_warehouse: int = 0
    """Orders that Big Cartel still lists as unshipped."""
    being_told: int = 0
    """Shipped orders that we are marking in Big Cartel."""
    not_told: list[str] = field(default_factory=list)
    """Shipped orders that we marked in Big Cartel before the sweep, and that it still lists as unshipped."""
    warehouse_asked: bool = True
    """False if we couldn't get statuses from the FCP; the sums are then based on its last answers."""
    confirmed: list[str] = field(default_factory=list)
    """Those of ``missing`` and ``not_told`` that the count before also named."""

    @property
    def remainder(self) -> list[str]:
        return [*self.missing, *self.not_told]

    @property
    def matches(self) -> bool:
        return not self.missing and not self.not_told


def reconcile(
    session: Session, store: Store, listed: Sequence[str], fcp: Fcp | None, *, swept_at: datetime, now: datetime
) -> Reconciliation:
    """Calculate and save the store's two sums from a full sweep's list and the FCP's live answers. Commits.

    ``listed`` holds the numbers that Big Cartel lists as unshipped and paid; ``fcp`` is None if it may not be called.
    The sweep started at ``swept_at``; the FCP is asked ``now``.
    """
    rows = _rows(session, store.id, listed)
    at_warehouse = [number for number, row in rows.items() if row.state in AT_THE_WAREHOUSE]
    statuses = _live_statuses(fcp, at_warehouse)
    reconciliation = Reconciliation(
        at=swept_at.isoformat(), unshipped_and_paid=len(listed), warehouse_asked=statuses is not None
    )
    waiting: Counter[str] = Counter()
    for number in listed:
        _place(reconciliation, waiting, number, rows.get(number), statuses, _Moments(swept_at, now))
    reconciliation.waiting = dict(waiting)
    before = remainder(store.reconciliation) if store.reconciliation is not None else []
    reconciliation.confirmed = [number for number in reconciliation.remainder if number in before]
    store.reconciliation = cast("StoredReconciliation", asdict(reconciliation))
    if len(reconciliation.confirmed) < len(reconciliation.remainder):
        # An order may have been on its way during the count.
        ask_soon(store, swept_at)
    session.commit()
    if not reconciliation.matches:
        log.error(
            "poll.remainder",
            extra={
                "store": store.id,
                "missing": reconciliation.missing,
                "not_told": reconciliation.not_told,
                "confirmed": reconciliation.confirmed,
            },
        )
    return reconciliation


def _place(
    reconciliation: Reconciliation,
    waiting: Counter[str],
    number: str,
    row: _ListedOrder | None,
    statuses: dict[str, OrderStatus] | None,
    moments: _Moments,
) -> None:
    if row is None:
        reconciliation.missing.append(number)
    elif row.state in AT_THE_WAREHOUSE:
        _place_at_the_warehouse(reconciliation, number, row, statuses, moments)
    elif row.state is OrderState.HELD:
        reasons = [hold["reason"] for hold in row.holds]
        if not LEFT_OUT.isdisjoint(reasons):
            reconciliation.left_out += 1
        else:
            waiting[reasons[0] if reasons else row.state.value] += 1
    elif row.state is OrderState.CLOSED and row.closed_because in {None, ClosedBecause.PERSON}:
        reconciliation.left_out += 1
    elif row.state is OrderState.CLOSED:
        reconciliation.missing.append(number)
    else:
        waiting[row.state.value] += 1


def _place_at_the_warehouse(
    reconciliation: Reconciliation,
    number: str,
    row: _ListedOrder,
    statuses: dict[str, OrderStatus] | None,
    moments: _Moments,
) -> None:
    is_named = statuses is None or number in statuses
    if not is_named and (row.submitted_at is None or row.submitted_at + STATUS_LAG <= moments.asked_at):
        reconciliation.missing.append(number)
        return
    reconciliation.at_the_warehouse += 1
    if not is_named:
        return
    is_shipped = statuses[number].is_shipped if statuses is not None else row.state is not OrderState.SUBMITTED
    if not is_shipped:
        return
    reconciliation.shipped_by_the_warehouse += 1
    if row.state is OrderState.COMPLETED and row.completed_at is not None and row.completed_at < moments.swept_at:
        reconciliation.not_told.append(number)
    else:
        reconciliation.being_told += 1


def _live_statuses(fcp: Fcp | None, numbers: Sequence[str]) -> dict[str, OrderStatus] | None:
    if fcp is None:
        return None
    statuses: dict[str, OrderStatus] = {}
    try:
        for start in range(0, len(numbers), MAX_STATUSES):
            statuses |= fcp.statuses(numbers[start : start + MAX_STATUSES])
    except ServiceError as error:
        log.warning("poll.warehouse_not_asked", extra={"error": str(error)})
        return None
    return statuses


def _rows(session: Session, store_id: int, numbers: Sequence[str]) -> dict[str, _ListedOrder]:
    rows = {
        row.number: _ListedOrder._make(row)
        for some in chunks(numbers)
        for row in session.execute(
            select(
                Order.number,
                Order.state,
                Order.holds,
                Order.closed_because,
                Order.submitted_at,
                Order.completed_at,
            ).where(Order.store_id == store_id, Order.number.in_(some))
        )
    }
    session.commit()
    return rows
