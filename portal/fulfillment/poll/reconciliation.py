"""The ledger: what Big Cartel lists held against what the FCP says; a remainder is named, never smoothed over."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal.clients.errors import ServiceError
from portal.clients.fcp import MAX_STATUSES
from portal.models import Order, OrderState
from portal.models.states import AT_THE_WAREHOUSE
from portal.rules.hold_reasons import HoldReason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from portal.clients.fcp import Fcp, OrderStatus
    from portal.models import Store

log = logging.getLogger(__name__)

IN_CHUNK = 500
_WAITING = {
    OrderState.READY: "waiting to be sent",
    OrderState.SUBMITTING: "being sent",
    OrderState.UNCONFIRMED: "sent, not confirmed",
    OrderState.REJECTED: "refused by the warehouse",
}


@dataclass(slots=True)
class Ledger:
    """Both sums at one moment. ``missing`` and ``not_told`` are the remainders, as order numbers."""

    at: str
    unshipped_and_paid: int = 0
    at_the_warehouse: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    """Number of orders by reason."""
    left_out: int = 0
    """By choice: before the start date, or closed by a person."""
    missing: list[str] = field(default_factory=list)
    shipped_by_the_warehouse: int = 0
    """Of the orders that Big Cartel lists as unshipped."""
    being_told: int = 0
    not_told: list[str] = field(default_factory=list)
    warehouse_asked: bool = True
    """False when the FCP could not be asked: the sums then rest on its last answers."""

    @property
    def adds_up(self) -> bool:
        return not self.missing and not self.not_told


def balance(session: Session, store: Store, listed: Sequence[str], fcp: Fcp | None, *, swept_at: datetime) -> Ledger:
    """Compute and keep the store's ledger from a full sweep's list and the FCP's live answers. Commits.

    ``listed`` holds the numbers that Big Cartel listed as unshipped and paid; ``fcp`` is None when it may not be asked.
    """
    rows = _rows(session, store.id, listed)
    believed = [number for number, row in rows.items() if row.state in AT_THE_WAREHOUSE]
    statuses = _ask(fcp, believed)
    ledger = Ledger(at=swept_at.isoformat(), unshipped_and_paid=len(listed), warehouse_asked=statuses is not None)
    waiting: Counter[str] = Counter()
    for number in listed:
        _place(ledger, waiting, number, rows.get(number), statuses, swept_at)
    ledger.waiting = dict(waiting)
    store.ledger = asdict(ledger)
    session.commit()
    if not ledger.adds_up:
        log.error(
            "ledger.remainder",
            extra={"store": store.id, "missing": ledger.missing, "not_told": ledger.not_told},
        )
    return ledger


def _place(
    ledger: Ledger,
    waiting: Counter[str],
    number: str,
    row: Row[*tuple[Any, ...]] | None,
    statuses: dict[str, OrderStatus] | None,
    swept_at: datetime,
) -> None:
    if row is None:
        ledger.missing.append(number)
    elif row.state in AT_THE_WAREHOUSE:
        _place_at_the_warehouse(ledger, number, row, statuses, swept_at)
    elif row.state is OrderState.HELD:
        reasons = [hold["reason"] for hold in row.holds]
        if HoldReason.BEFORE_START in reasons:
            ledger.left_out += 1
        else:
            waiting[reasons[0] if reasons else "held"] += 1
    elif row.state is OrderState.CLOSED and row.submitted_at is None:
        ledger.left_out += 1
    elif row.state is OrderState.CLOSED:
        waiting["cancelled at the warehouse"] += 1
    else:
        waiting[_WAITING[row.state]] += 1


def _place_at_the_warehouse(
    ledger: Ledger, number: str, row: Row[*tuple[Any, ...]], statuses: dict[str, OrderStatus] | None, swept_at: datetime
) -> None:
    if statuses is not None and number not in statuses:
        ledger.missing.append(number)
        return
    ledger.at_the_warehouse += 1
    is_shipped = statuses[number].is_shipped if statuses is not None else row.state is not OrderState.SUBMITTED
    if not is_shipped:
        return
    ledger.shipped_by_the_warehouse += 1
    if row.state is OrderState.COMPLETED and row.completed_at < swept_at:
        ledger.not_told.append(number)
    else:
        ledger.being_told += 1


def _ask(fcp: Fcp | None, numbers: Sequence[str]) -> dict[str, OrderStatus] | None:
    if fcp is None:
        return None
    statuses: dict[str, OrderStatus] = {}
    try:
        for start in range(0, len(numbers), MAX_STATUSES):
            statuses |= fcp.statuses(numbers[start : start + MAX_STATUSES])
    except ServiceError as error:
        log.warning("ledger.warehouse_not_asked", extra={"error": str(error)})
        return None
    return statuses


def _rows(session: Session, store_id: int, numbers: Sequence[str]) -> dict[str, Row[*tuple[Any, ...]]]:
    rows = {
        row.number: row
        for start in range(0, len(numbers), IN_CHUNK)
        for row in session.execute(
            select(Order.number, Order.state, Order.holds, Order.submitted_at, Order.completed_at).where(
                Order.store_id == store_id, Order.number.in_(numbers[start : start + IN_CHUNK])
            )
        )
    }
    session.commit()
    return rows
