"""Open orders again that we closed because of Big Cartel, if it lists them as unshipped again.

An order that was never sent is assessed like a new one, so it is sent once. One that the warehouse shipped is marked in
Big Cartel. One that the warehouse had rejected is rejected again: only a person retries it. What a person closed stays
closed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from portal.clients.fcp import names_the_cause
from portal.fulfillment.order_columns import FRESH_START, reopened_columns
from portal.models import Attempt, AttemptKind, AttemptOutcome, OrderState
from portal.models.base import IN_CHUNK
from portal.models.states import OrderChange, OrderColumns, move
from portal.wording.history import UNSHIPPED_AGAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.fulfillment.poll.context import Poll
    from portal.fulfillment.poll.read import KnownOrder, Listed


class _Reopened(NamedTuple):
    order: Listed
    known: KnownOrder
    state: OrderState
    columns: OrderColumns


def reopen(poll: Poll, changed: Sequence[Listed], now: datetime) -> list[Listed]:
    """Reopen those of the orders that are back, and return all orders as they are then. The caller commits."""
    back = {one.known.id: (one, one.known) for one in changed if one.known is not None and one.is_back}
    if not back:
        return list(changed)
    rejected = _rejected(poll.session, list(back))
    opened = [_reopened(one, known, rejected, now) for one, known in back.values()]
    grouped: dict[OrderState, list[OrderChange]] = defaultdict(list)
    for order in opened:
        grouped[order.state].append(OrderChange(order.known.id, order.columns, reason=UNSHIPPED_AGAIN))
    for state, changes in grouped.items():
        poll.result.reopened += move(poll.session, changes, from_state=OrderState.CLOSED, to_state=state, now=now)
    after = {order.known.id: replace(order.order, known=order.known._replace(state=order.state)) for order in opened}
    return [after.get(one.known.id, one) if one.known is not None else one for one in changed]


def _reopened(one: Listed, known: KnownOrder, rejected: dict[int, str], now: datetime) -> _Reopened:
    columns: OrderColumns = {**reopened_columns(), "document": one.document, "purged_at": None}
    if known.submitted_at is not None:
        return _Reopened(one, known, OrderState.SHIPPED, {**columns, "next_attempt_at": now, **FRESH_START})
    if known.id in rejected:
        return _Reopened(one, known, OrderState.REJECTED, {**columns, "state_reason": rejected[known.id]})
    return _Reopened(one, known, OrderState.HELD, {**columns, **FRESH_START})


def _rejected(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return those of the orders whose last submission was rejected, with the FCP's words."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), IN_CHUNK):
        last = (
            select(func.max(Attempt.id))
            .where(Attempt.order_id.in_(ids[start : start + IN_CHUNK]), Attempt.kind == AttemptKind.SUBMIT)
            .group_by(Attempt.order_id)
        )
        rows = session.execute(select(Attempt.order_id, Attempt.outcome, Attempt.words).where(Attempt.id.in_(last)))
        found |= {row.order_id: row.words for row in rows if _is_rejection(row.outcome, row.words)}
    return found


def _is_rejection(outcome: AttemptOutcome, words: str) -> bool:
    """Return whether a submission may have been rejected. An unclear answer counts as a rejection if it says why."""
    is_unclear = outcome is AttemptOutcome.UNKNOWN
    return outcome in {AttemptOutcome.REFUSED, AttemptOutcome.DUPLICATE} or (is_unclear and names_the_cause(words))
