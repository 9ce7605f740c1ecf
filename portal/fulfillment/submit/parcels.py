"""Due orders, packed before they are claimed.

Each is assessed again: the rules, a product or the merchant's settings may have changed since its last poll.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.clients.bigcartel import read_stored
from portal.fulfillment import search_rows
from portal.fulfillment.order_columns import assessed_columns, held_columns
from portal.fulfillment.rulebook import Rulebook, rules_version
from portal.fulfillment.submit.stored_order import StoredOrder, select_stored
from portal.fulfillment.submit.waited import due_orders
from portal.models import Order, OrderState
from portal.models.states import OrderChange, move
from portal.rules.packing import pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.clients.fcp import OrderRequest
    from portal.fulfillment.submit.context import Submission
    from portal.models.states import OrderColumns

RULES_LAST = timedelta(seconds=20)
"""How long orders are assessed by rules that were read once.

An assessment's time is when its rules were read, and must be less than ``COMMITTED_WITHIN`` before its commit.
"""
READ_AHEAD = 50
"""Orders read at a time: enough to be cheap, few enough to be packed quickly, because answers wait during packing."""

_ASSESSED = (Order.holds, Order.lines, Order.shipping_code, Order.service)
"""What an assessment stores, beside its time."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One packed, unclaimed order. ``notes`` say which texts lost characters.

    ``columns`` store its assessment: all of it, or only its time if it says what the order's row says.
    """

    order: StoredOrder
    request: OrderRequest
    columns: OrderColumns
    notes: tuple[str, ...]


@dataclass(slots=True)
class Parcels:
    """The parcels of one drain, ordered by id. Orders that can't be sent are put on hold along the way."""

    submission: Submission
    last_id: int = 0
    """Id of the last order taken."""
    _packed: deque[Parcel] = field(default_factory=deque)
    _unread: Iterator[Parcel] = field(default_factory=lambda: iter(()))
    _rules: tuple[datetime | None, ...] = ()
    """Version of the merchant's rules that the packed parcels follow."""

    def take(self, room: int) -> list[Parcel]:
        """Return the next parcels under the current rules: parcels packed under older rules are packed again."""
        rules = rules_version(self.submission.session, self.submission.merchant.id)
        if rules != self._rules:
            self._rules = rules
            self._packed.clear()
            self._unread = self._read(self.last_id)
        self.pack(room)
        parcels = [self._packed.popleft() for _ in range(min(room, len(self._packed)))]
        if parcels:
            self.last_id = parcels[-1].order.id
        return parcels

    def pack(self, number: int) -> None:
        """Pack orders until ``number`` parcels are ready, or there are no more orders."""
        while len(self._packed) < number and (parcel := next(self._unread, None)) is not None:
            self._packed.append(parcel)

    def _read(self, last_id: int) -> Iterator[Parcel]:
        session = self.submission.session
        # What it has read stays true until the version of the rules changes: then everything is read again.
        book, assessed_at = Rulebook(session), self.submission.context.clock()
        while True:
            now = self.submission.context.clock()
            if now - assessed_at > RULES_LAST:
                book, assessed_at = Rulebook(session), now
            by_person = self.submission.context.by_person
            due = due_orders(self.submission.merchant.id, now, ignore_backoff=by_person)
            sendable = self.submission.waited.may_be_sent(now)
            query = select_stored().add_columns(*_ASSESSED).where(*due, sendable, Order.id > last_id)
            found = session.execute(query.order_by(Order.id).limit(READ_AHEAD)).all()
            if not found:
                return
            rows = [StoredOrder._make(row[: -len(_ASSESSED)]) for row in found]
            stored = {row.id: tuple(row[-len(_ASSESSED) :]) for row in found}
            last_id = rows[-1].id
            orders = self.submission.waited.without_stale([(row, read_stored(row.document)) for row in rows], now)
            book.load([(row.store_id, order) for row, order in orders])
            assessed = [
                (
                    row,
                    order,
                    book.assess(
                        row.store_id,
                        order,
                        released=row.released_holds,
                        edits=row.edits,
                        unlisted_since=row.unlisted_since,
                    ),
                )
                for row, order in orders
            ]
            held = [
                OrderChange(row.id, held_columns(assessment, assessed_at), assessed_at=row.assessed_at)
                for row, _, assessment in assessed
                if assessment.holds
            ]
            self.submission.result.held += move(
                session,
                held,
                from_state=OrderState.READY,
                to_state=OrderState.HELD,
                now=now,
                if_not_assessed_since=True,
            )
            search_rows.refresh(session, [change.order_id for change in held])
            for row, order, assessment in assessed:
                if not assessment.holds:
                    request, notes = pack(order, assessment)
                    columns = _to_store(assessed_columns(assessment, assessed_at), stored[row.id])
                    yield Parcel(row, request, columns, notes)


def _to_store(columns: OrderColumns, stored: tuple[object, ...]) -> OrderColumns:
    """Return those columns of an assessment that the order's row doesn't have yet."""
    found = (columns["holds"], columns["lines"], columns["shipping_code"], columns["service"])
    return {"assessed_at": columns["assessed_at"]} if found == stored else columns


def count_ready(session: Session, merchant_id: int, now: datetime, *, ignore_backoff: bool) -> int:
    """Return how many orders a drain would send now."""
    due = due_orders(merchant_id, now, ignore_backoff=ignore_backoff)
    return session.scalar(select(func.count()).where(*due)) or 0
